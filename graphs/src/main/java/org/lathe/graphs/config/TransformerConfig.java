package org.lathe.graphs.config;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Everything that fixes the shape and the arithmetic of a Transformer. The same record describes a
 * full model and a slim one; {@link #uniform} makes the usual full one.
 *
 * @param vocabularySize V, number of token ids
 * @param hiddenSize D, width of the residual stream
 * @param headSize H, width of one attention head; scores are divided by sqrt(H)
 * @param blocks one shape per layer, bottom first
 * @param maxPositions longest sequence that has a position
 * @param normPlacement pre-norm or post-norm blocks
 * @param positions sinusoidal or learned
 * @param activation of the feed-forward sublayer
 * @param tiedOutput the output projection is the token embedding
 * @param finalNorm a LayerNorm after the last block (pre-norm models usually have one)
 * @param embeddingScale factor on token embeddings before positions are added; sqrt(D) in the
 *     original Transformer. A slim model keeps the factor of the model it came from
 * @param dropout rate on embeddings and sublayer outputs while training
 * @param normEpsilon added to the variance in LayerNorm
 * @param innerDropout rates inside the sublayers; null in files written before it was there, where
 *     attention had the rate of dropout and activations had none
 * @param adaptive clusters of the vocabulary, or null for one table; files written before it was
 *     there have none
 * @param keySize P, width of the memory's learned queries and keys ({@link
 *     org.lathe.graphs.layers.KeyProjection}), or null where they are the memory representation g
 *     itself, as in the paper. Pruning leaves it alone, so that it may exceed the hidden size of a
 *     slim model
 */
public record TransformerConfig(
    int vocabularySize,
    int hiddenSize,
    int headSize,
    List<BlockShape> blocks,
    int maxPositions,
    NormPlacement normPlacement,
    PositionEncoding positions,
    Activation activation,
    boolean tiedOutput,
    boolean finalNorm,
    double embeddingScale,
    double dropout,
    double normEpsilon,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable InnerDropout innerDropout,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable AdaptiveVocabulary adaptive,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Integer keySize) {

  /**
   * Dropout inside the sublayers.
   *
   * @param attention rate on attention probabilities
   * @param activation rate on the feed-forward's activations
   */
  public record InnerDropout(double attention, double activation) {
    public InnerDropout {
      Preconditions.checkArgument(
          attention >= 0 && attention < 1, "attention dropout (%s) must be in [0, 1)", attention);
      Preconditions.checkArgument(
          activation >= 0 && activation < 1,
          "activation dropout (%s) must be in [0, 1)",
          activation);
    }
  }

  /** PyTorch's and fairseq's default, used by the TRIME models. */
  public static final double NORM_EPSILON_DEFAULT = 1e-5;

  /** LayerNorm makes a constant of a single value, so that keys of one dimension are all alike. */
  public static final int KEY_SIZE_MIN = 2;

  public TransformerConfig {
    blocks = ImmutableList.copyOf(blocks);
    positive("vocabularySize", vocabularySize);
    positive("hiddenSize", hiddenSize);
    positive("headSize", headSize);
    positive("maxPositions", maxPositions);
    Preconditions.checkArgument(!blocks.isEmpty(), "a model needs at least one block");
    Preconditions.checkArgument(
        embeddingScale > 0 && Double.isFinite(embeddingScale),
        "embeddingScale (%s) must be positive",
        embeddingScale);
    Preconditions.checkArgument(
        dropout >= 0 && dropout < 1, "dropout (%s) must be in [0, 1)", dropout);
    Preconditions.checkArgument(
        normEpsilon > 0 && Double.isFinite(normEpsilon),
        "normEpsilon (%s) must be positive",
        normEpsilon);
    if (adaptive != null) {
      adaptive.clusters(vocabularySize, hiddenSize); // says what does not fit
    }
    Preconditions.checkArgument(
        keySize == null || keySize >= KEY_SIZE_MIN,
        "keySize (%s) must be at least %s",
        keySize,
        KEY_SIZE_MIN);
  }

  /**
   * A pre-norm decoder in which all layers are alike: learned-free sinusoidal positions, tied
   * output, final norm, ReLU, embeddings scaled by sqrt(D), no dropout.
   */
  public static TransformerConfig uniform(
      int vocabularySize,
      int hiddenSize,
      int numLayers,
      int numHeads,
      int intermediateSize,
      int maxPositions) {
    positive("numHeads", numHeads);
    positive("numLayers", numLayers);
    Preconditions.checkArgument(
        hiddenSize % numHeads == 0,
        "hiddenSize (%s) must be a multiple of numHeads (%s)",
        hiddenSize,
        numHeads);
    BlockShape block = new BlockShape(numHeads, intermediateSize);
    return new TransformerConfig(
        vocabularySize,
        hiddenSize,
        hiddenSize / numHeads,
        Collections.nCopies(numLayers, block),
        maxPositions,
        NormPlacement.PRE,
        PositionEncoding.SINUSOIDAL,
        Activation.RELU,
        true,
        true,
        Math.sqrt(hiddenSize),
        0,
        NORM_EPSILON_DEFAULT,
        null,
        null,
        null);
  }

  /** L. */
  @JsonIgnore
  public int numLayers() {
    return blocks.size();
  }

  /** Width of the memory's queries and keys: P where they are learned, else D. */
  @JsonIgnore
  public int tapWidth() {
    return keySize == null ? hiddenSize : keySize;
  }

  public TransformerConfig withBlocks(int newHiddenSize, List<BlockShape> newBlocks) {
    return with(
        copy -> {
          copy.hiddenSize = newHiddenSize;
          copy.blocks = newBlocks;
        });
  }

  public TransformerConfig withStyle(
      NormPlacement placement,
      PositionEncoding encoding,
      Activation nonlinearity,
      boolean tied,
      boolean withFinalNorm) {
    return with(
        copy -> {
          copy.normPlacement = placement;
          copy.positions = encoding;
          copy.activation = nonlinearity;
          copy.tiedOutput = tied;
          copy.finalNorm = withFinalNorm;
        });
  }

  public TransformerConfig withVocabularySize(int size) {
    return with(copy -> copy.vocabularySize = size);
  }

  public TransformerConfig withDropout(double rate) {
    return with(copy -> copy.dropout = rate);
  }

  public TransformerConfig withNormEpsilon(double epsilon) {
    return with(copy -> copy.normEpsilon = epsilon);
  }

  public TransformerConfig withInnerDropout(@Nullable InnerDropout rates) {
    return with(copy -> copy.innerDropout = rates);
  }

  /** The same model over clusters of words; null for one table. */
  public TransformerConfig withAdaptive(@Nullable AdaptiveVocabulary vocabulary) {
    return with(copy -> copy.adaptive = vocabulary);
  }

  /** The same model with learned keys of this width; 0 for none. */
  public TransformerConfig withKeySize(int size) {
    return with(copy -> copy.keySize = size == 0 ? null : size);
  }

  private TransformerConfig with(Consumer<Copy> change) {
    Copy copy = new Copy(this);
    change.accept(copy);
    return copy.build();
  }

  /** The components, some of which are about to change. */
  private static final class Copy {
    int vocabularySize;
    int hiddenSize;
    int headSize;
    List<BlockShape> blocks;
    int maxPositions;
    NormPlacement normPlacement;
    PositionEncoding positions;
    Activation activation;
    boolean tiedOutput;
    boolean finalNorm;
    double embeddingScale;
    double dropout;
    double normEpsilon;
    @Nullable InnerDropout innerDropout;
    @Nullable AdaptiveVocabulary adaptive;
    @Nullable Integer keySize;

    Copy(TransformerConfig from) {
      vocabularySize = from.vocabularySize;
      hiddenSize = from.hiddenSize;
      headSize = from.headSize;
      blocks = from.blocks;
      maxPositions = from.maxPositions;
      normPlacement = from.normPlacement;
      positions = from.positions;
      activation = from.activation;
      tiedOutput = from.tiedOutput;
      finalNorm = from.finalNorm;
      embeddingScale = from.embeddingScale;
      dropout = from.dropout;
      normEpsilon = from.normEpsilon;
      innerDropout = from.innerDropout;
      adaptive = from.adaptive;
      keySize = from.keySize;
    }

    TransformerConfig build() {
      return new TransformerConfig(
          vocabularySize,
          hiddenSize,
          headSize,
          blocks,
          maxPositions,
          normPlacement,
          positions,
          activation,
          tiedOutput,
          finalNorm,
          embeddingScale,
          dropout,
          normEpsilon,
          innerDropout,
          adaptive,
          keySize);
    }
  }

  private static void positive(String name, int value) {
    Preconditions.checkArgument(value > 0, "%s (%s) must be positive", name, value);
  }
}
