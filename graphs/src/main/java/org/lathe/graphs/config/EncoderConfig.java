package org.lathe.graphs.config;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.google.common.base.Preconditions;

/**
 * A bidirectional Transformer of the BERT family: post-norm blocks over the sum of token, position
 * and token-type vectors, which a LayerNorm follows. The same record describes a full encoder and a
 * slim one.
 *
 * <table>
 * <caption>What the known ones have</caption>
 * <tr><th></th><th>token types</th><th>position offset</th><th>pooler</th><th>epsilon</th></tr>
 * <tr><td>BERT, MiniLM, BGE</td><td>2</td><td>0</td><td>D</td><td>1e-12</td></tr>
 * <tr><td>RoBERTa</td><td>1</td><td>2</td><td>none</td><td>1e-5</td></tr>
 * <tr><td>DistilBERT</td><td>none</td><td>0</td><td>none</td><td>1e-12</td></tr>
 * </table>
 *
 * @param transformer blocks, sizes and rates. Its maxPositions are the rows of the position table
 *     as checkpoints store it, so that sequences may be {@link #maxLength} long
 * @param numTokenTypes rows of the token-type table; 0 = none
 * @param positionOffset row of the first token's position; RoBERTa's is its padding id + 1
 * @param poolerSize width of tanh(W h_first + b), which no gate closes, so that a slim encoder
 *     keeps the full one's; 0 = no pooler
 */
public record EncoderConfig(
    TransformerConfig transformer, int numTokenTypes, int positionOffset, int poolerSize) {

  /** BERT's and DistilBERT's epsilon. */
  public static final double BERT_NORM_EPSILON = 1e-12;

  /** RoBERTa numbers positions from its padding id, 1, plus one. */
  public static final int ROBERTA_POSITION_OFFSET = 2;

  public EncoderConfig {
    Preconditions.checkArgument(
        transformer.normPlacement() == NormPlacement.POST
            && transformer.positions() == PositionEncoding.LEARNED
            && transformer.tiedOutput()
            && !transformer.finalNorm()
            && transformer.embeddingScale() == 1
            && transformer.adaptive() == null
            && transformer.keySize() == null,
        "an encoder needs post-norm blocks, learned positions, a tied output, embeddingScale 1,"
            + " and neither final norm, clusters nor memory keys; found %s",
        transformer);
    Preconditions.checkArgument(
        numTokenTypes >= 0, "numTokenTypes (%s) must not be negative", numTokenTypes);
    Preconditions.checkArgument(
        positionOffset >= 0 && positionOffset < transformer.maxPositions(),
        "positionOffset (%s) must be in [0, maxPositions = %s)",
        positionOffset,
        transformer.maxPositions());
    Preconditions.checkArgument(
        poolerSize >= 0, "poolerSize (%s) must not be negative", poolerSize);
  }

  /**
   * BERT: GELU, two token types, a pooler, epsilon 1e-12, no dropout.
   *
   * @param maxPositions rows of the position table
   */
  public static EncoderConfig bert(
      int vocabularySize,
      int hiddenSize,
      int numLayers,
      int numHeads,
      int intermediateSize,
      int maxPositions) {
    TransformerConfig usual =
        TransformerConfig.uniform(
            vocabularySize, hiddenSize, numLayers, numHeads, intermediateSize, maxPositions);
    TransformerConfig transformer =
        new TransformerConfig(
            vocabularySize,
            hiddenSize,
            usual.headSize(),
            usual.blocks(),
            maxPositions,
            NormPlacement.POST,
            PositionEncoding.LEARNED,
            Activation.GELU,
            /* tiedOutput= */ true,
            /* finalNorm= */ false,
            /* embeddingScale= */ 1,
            /* dropout= */ 0,
            BERT_NORM_EPSILON,
            null,
            null,
            null);
    return new EncoderConfig(transformer, 2, 0, hiddenSize);
  }

  /** Longest sequence that has positions. */
  @JsonIgnore
  public int maxLength() {
    return transformer.maxPositions() - positionOffset;
  }

  @JsonIgnore
  public boolean hasPooler() {
    return poolerSize > 0;
  }

  /** The same encoder with other blocks, sizes or rates; the pooler keeps its width. */
  public EncoderConfig withTransformer(TransformerConfig other) {
    return new EncoderConfig(other, numTokenTypes, positionOffset, poolerSize);
  }

  /**
   * @param size 0 for none
   */
  public EncoderConfig withPooler(int size) {
    return new EncoderConfig(transformer, numTokenTypes, positionOffset, size);
  }

  /** The same encoder with other embeddings. */
  public EncoderConfig withEmbeddings(int newNumTokenTypes, int newPositionOffset) {
    return new EncoderConfig(transformer, newNumTokenTypes, newPositionOffset, poolerSize);
  }

  /** The same encoder with another epsilon in its norms. */
  public EncoderConfig withNormEpsilon(double epsilon) {
    return withTransformer(transformer.withNormEpsilon(epsilon));
  }
}
