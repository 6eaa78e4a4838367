package org.lathe.graphs.models;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.layers.EncoderEmbedding;
import org.lathe.graphs.layers.Linear;
import org.lathe.graphs.layers.TransformerBlock;
import org.lathe.graphs.layers.VocabularyHead;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.ops.Masks;
import org.lathe.graphs.ops.SequenceShape;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.family.TNumber;

/**
 * A bidirectional Transformer of the BERT family (Devlin et al. 2019), with the gates of CoFi at
 * the places of its section 3. One builder for full and slim encoders.
 *
 * <p>Shape letters: B batch, T length, N = B*T positions, D hidden, P pooler. Names: {@code
 * prefix/embedding/...}, {@code prefix/layer_i/...}, {@code prefix/pooler} where there is one.
 */
public final class Encoder {
  /** First part of the names of an encoder of ours. */
  public static final String PREFIX = "encoder";

  private final EncoderConfig config;
  private final EncoderEmbedding embedding;
  private final List<TransformerBlock> blocks;
  private final @Nullable Linear pooler;

  /**
   * What one call gives.
   *
   * @param hiddenND the embeddings, then the output of each block: L + 1 states of (N, D)
   * @param sequenceND the last of them
   * @param firstBD its rows at the first position of each sequence
   * @param pooledBP tanh(W first + b), or null without a pooler
   * @param scoresBNTT raw attention scores of N heads by layer, before mask and softmax; layers
   *     without attention have none
   */
  public record Output(
      List<Operand<TFloat32>> hiddenND,
      Operand<TFloat32> sequenceND,
      Operand<TFloat32> firstBD,
      @Nullable Operand<TFloat32> pooledBP,
      SequenceShape shape,
      Map<Integer, Operand<TFloat32>> scoresBNTT) {}

  /** Declares variables under {@link #PREFIX}, trained. */
  public Encoder(VariableCatalog catalog, EncoderConfig config) {
    this(catalog, config, PREFIX, VariableGroup.MODEL);
  }

  /**
   * @param prefix of all variable names
   * @param group MODEL for a model in training, TEACHER for a teacher
   */
  public Encoder(
      VariableCatalog catalog, EncoderConfig config, String prefix, VariableGroup group) {
    this.config = config;
    TransformerConfig transformer = config.transformer();
    embedding = new EncoderEmbedding(catalog, prefix + "/embedding", config, group);
    ImmutableList.Builder<TransformerBlock> builder = ImmutableList.builder();
    for (int layer = 0; layer < transformer.numLayers(); layer++) {
      String name = prefix + "/layer_" + layer;
      builder.add(
          new TransformerBlock(catalog, name, transformer, layer, /* keepTap= */ false, group));
    }
    blocks = builder.build();
    pooler =
        config.hasPooler()
            ? new Linear(
                catalog, prefix + "/pooler", transformer.hiddenSize(), config.poolerSize(), group)
            : null;
  }

  public EncoderConfig config() {
    return config;
  }

  /**
   * Token ids (B, T), T at most {@link EncoderConfig#maxLength}.
   *
   * @param presentBT 1 where there is a token, 0 where a shorter sequence is padded; integers or
   *     floats. Padded positions are never attended to; what they compute themselves has no meaning
   * @param typesBT token types, or null for type 0 everywhere; an encoder with fewer than two types
   *     does not look at them
   */
  public Output call(
      Ops tf,
      Operand<TInt32> tokensBT,
      Operand<? extends TNumber> presentBT,
      @Nullable Operand<TInt32> typesBT,
      Gates gates,
      Dropout dropout) {
    SequenceShape shape = SequenceShape.of(tf, tokensBT);
    Operand<TFloat32> maskB11T = Masks.padding(tf, presentBT);
    Operand<TFloat32> hidden =
        embedding.call(tf, tokensBT, typesBT, shape, gates.hidden(), dropout);
    ImmutableList.Builder<Operand<TFloat32>> states = ImmutableList.builder();
    states.add(hidden);
    ImmutableMap.Builder<Integer, Operand<TFloat32>> scores = ImmutableMap.builder();
    for (int layer = 0; layer < blocks.size(); layer++) {
      TransformerBlock.Output output =
          blocks.get(layer).call(tf, hidden, shape, maskB11T, gates, dropout);
      hidden = output.hidden();
      states.add(hidden);
      if (output.scoresBNTT() != null) {
        scores.put(layer, output.scoresBNTT());
      }
    }
    Operand<TFloat32> firstBD = shape.firstOfEach(tf, hidden);
    Operand<TFloat32> pooledBP = pooler == null ? null : tf.math.tanh(pooler.call(tf, firstBD));
    return new Output(states.build(), hidden, firstBD, pooledBP, shape, scores.buildOrThrow());
  }

  /** The vocabulary by the token table and a bias of (V). */
  VocabularyHead tiedHead(Variable bias) {
    return embedding.tiedHead(bias);
  }
}
