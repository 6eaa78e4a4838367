package org.lathe.graphs.models;

import com.google.common.collect.ImmutableList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.layers.AbsolutePositions;
import org.lathe.graphs.layers.KeyProjection;
import org.lathe.graphs.layers.LayerNorm;
import org.lathe.graphs.layers.TokenVectors;
import org.lathe.graphs.layers.TransformerBlock;
import org.lathe.graphs.layers.VocabularyHead;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.ops.Masks;
import org.lathe.graphs.ops.SequenceShape;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * A causal Transformer language model that also gives TRIME's memory representation: the input of
 * the last feed-forward sublayer after its norm, or its {@link KeyProjection} where the
 * configuration has a key size. One builder for full and slim models.
 *
 * <p>Shape letters: B batch, T length, N = B*T positions, D hidden, V vocabulary, P width of the
 * memory's queries and keys ({@link TransformerConfig#tapWidth}). Names: {@code
 * prefix/embedding/...}, {@code prefix/layer_i/...}, {@code prefix/final_norm/...}, {@code
 * prefix/output/kernel} (V, D) where the output is not tied. With an adaptive vocabulary the token
 * tables and the output are those of {@link TokenVectors}' clusters. Learned keys are {@code
 * prefix/memory/...}.
 */
public final class DecoderLanguageModel {
  private final TransformerConfig config;
  private final TokenVectors embedding;
  private final AbsolutePositions positions;
  private final List<TransformerBlock> blocks;
  private final @Nullable LayerNorm finalNorm;
  private final VocabularyHead head;
  private final @Nullable KeyProjection keys;

  /**
   * What one call gives.
   *
   * @param hiddenND the embeddings, then the output of each block: L + 1 states of (N, D)
   * @param tapNP queries and keys of the memory (N, P)
   * @param outputND f: what the vocabulary projection reads (N, D)
   */
  public record Output(
      List<Operand<TFloat32>> hiddenND,
      Operand<TFloat32> tapNP,
      Operand<TFloat32> outputND,
      SequenceShape shape) {}

  /** Declares variables under "decoder", trained. */
  public DecoderLanguageModel(VariableCatalog catalog, TransformerConfig config) {
    this(catalog, config, "decoder", VariableGroup.MODEL);
  }

  /**
   * @param prefix of all variable names
   * @param group MODEL for a model in training, TEACHER for a teacher
   */
  public DecoderLanguageModel(
      VariableCatalog catalog, TransformerConfig config, String prefix, VariableGroup group) {
    this.config = config;
    embedding = TokenVectors.declare(catalog, prefix + "/embedding", config, group);
    positions = new AbsolutePositions(catalog, prefix + "/embedding", config, group);
    ImmutableList.Builder<TransformerBlock> builder = ImmutableList.builder();
    int last = config.numLayers() - 1;
    for (int layer = 0; layer <= last; layer++) {
      String name = prefix + "/layer_" + layer;
      builder.add(
          new TransformerBlock(catalog, name, config, layer, /* keepTap= */ layer == last, group));
    }
    blocks = builder.build();
    finalNorm =
        config.finalNorm()
            ? new LayerNorm(
                catalog, prefix + "/final_norm", config.hiddenSize(), config.normEpsilon(), group)
            : null;
    head = embedding.head(catalog, prefix + "/output", config, group);
    keys =
        config.keySize() == null
            ? null
            : new KeyProjection(
                catalog,
                prefix + "/memory",
                config.hiddenSize(),
                config.keySize(),
                config.normEpsilon(),
                group);
  }

  public TransformerConfig config() {
    return config;
  }

  /** Token ids (B, T), T at most maxPositions. */
  public Output call(Ops tf, Operand<TInt32> tokensBT, Gates gates, Dropout dropout) {
    SequenceShape shape = SequenceShape.of(tf, tokensBT);
    Operand<TFloat32> mask = Masks.causal(tf, shape.length());
    Operand<TInt32> tokensN = tf.reshape(tokensBT, tf.constant(new int[] {-1}));
    Operand<TFloat32> embedded = embedding.call(tf, tokensN, gates.hidden());
    Operand<TFloat32> hidden = dropout.call(tf, positions.add(tf, embedded, shape, gates.hidden()));
    ImmutableList.Builder<Operand<TFloat32>> states = ImmutableList.builder();
    states.add(hidden);
    Operand<TFloat32> tap = null;
    for (TransformerBlock block : blocks) {
      TransformerBlock.Output output = block.call(tf, hidden, shape, mask, gates, dropout);
      hidden = output.hidden();
      tap = output.tap();
      states.add(hidden);
    }
    Operand<TFloat32> outputND =
        finalNorm == null ? hidden : finalNorm.call(tf, hidden, gates.hidden());
    Operand<TFloat32> lastTap = Objects.requireNonNull(tap, "the last block has a tap");
    Operand<TFloat32> tapNP = keys == null ? lastTap : keys.call(tf, lastTap);
    return new Output(states.build(), tapNP, outputND, shape);
  }

  /** From f to the vocabulary. */
  public VocabularyHead head() {
    return head;
  }

  /** a_w of all words: (N, D) -> (N, V). */
  public Operand<TFloat32> logits(Ops tf, Operand<TFloat32> outputND, Gates gates) {
    return head.logits(tf, outputND, gates);
  }
}
