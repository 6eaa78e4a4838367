package org.lathe.graphs.models;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.NormPlacement;
import org.lathe.graphs.config.RecurrenceConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.layers.LayerNorm;
import org.lathe.graphs.layers.MemoryCompressor;
import org.lathe.graphs.layers.RecurrentBlock;
import org.lathe.graphs.layers.RelativeBiases;
import org.lathe.graphs.layers.TokenVectors;
import org.lathe.graphs.layers.VocabularyHead;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.ops.Masks;
import org.lathe.graphs.ops.Positions;
import org.lathe.graphs.ops.SequenceShape;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Transformer-XL (Dai et al. 2019) and, with compression, the Compressive Transformer (Rae et al.
 * 2020): a causal language model that reads a text segment by segment and remembers. Every layer
 * attends to [compressed memory; memory; segment], in this order and with relative positions
 * counted through it, so there are no absolute ones. Blocks are pre-norm, so that TRIME's memory
 * representation is defined as in {@link DecoderLanguageModel}.
 *
 * <p>After a segment of T positions the memory of each layer has moved on by T. With compression
 * the T oldest states of [memory; segment] become T / c slots, and as many of the oldest slots are
 * forgotten.
 *
 * <p>Names: {@code decoder/embedding/...}, {@code decoder/relative/...} (the two biases), {@code
 * decoder/layer_i/...}, {@code decoder/final_norm/...}, {@code decoder/output/...}. Shape letters:
 * B batch, T length, N = B*T positions, M memory, C compressed memory, S = T / c new slots, P = C +
 * M, K = P + T, D hidden.
 */
public final class RecurrentLanguageModel {
  private static final String PREFIX = "decoder";

  private final TransformerConfig config;
  private final RecurrenceConfig recurrence;
  private final TokenVectors embedding;
  private final List<RecurrentBlock> blocks;
  private final @Nullable LayerNorm finalNorm;
  private final VocabularyHead head;

  /**
   * What one call gives.
   *
   * @param hiddenND the embeddings, then the output of each block: L + 1 states of (N, D)
   * @param tapND g: queries and keys of an output memory (N, D)
   * @param outputND f: what the vocabulary reads (N, D)
   * @param next memory after this segment, of the lengths of the one given; without gradient
   * @param reconstructionLoss sum over the layers, a scalar whose gradient reaches the compressors
   *     only; 0 without compression
   */
  public record Output(
      List<Operand<TFloat32>> hiddenND,
      Operand<TFloat32> tapND,
      Operand<TFloat32> outputND,
      RecurrentMemory next,
      Operand<TFloat32> reconstructionLoss,
      SequenceShape shape) {}

  /**
   * @throws ConfigException when the blocks are post-norm, unlike or without one of their
   *     sublayers, or keys are learned
   */
  public RecurrentLanguageModel(
      VariableCatalog catalog, TransformerConfig config, RecurrenceConfig recurrence) {
    requireSupported(config);
    this.config = config;
    this.recurrence = recurrence;
    VariableGroup group = VariableGroup.MODEL;
    embedding = TokenVectors.declare(catalog, PREFIX + "/embedding", config, group);
    RelativeBiases biases =
        new RelativeBiases(
            catalog,
            PREFIX + "/relative",
            config.blocks().get(0).numHeads(),
            config.headSize(),
            group);
    ImmutableList.Builder<RecurrentBlock> builder = ImmutableList.builder();
    for (int layer = 0; layer < config.numLayers(); layer++) {
      builder.add(
          new RecurrentBlock(
              catalog,
              PREFIX + "/layer_" + layer,
              config,
              config.blocks().get(layer),
              biases,
              recurrence.compression(),
              group));
    }
    blocks = builder.build();
    finalNorm =
        config.finalNorm()
            ? new LayerNorm(
                catalog, PREFIX + "/final_norm", config.hiddenSize(), config.normEpsilon(), group)
            : null;
    head = embedding.head(catalog, PREFIX + "/output", config, group);
  }

  /** What this builder can build. */
  public static void requireSupported(TransformerConfig config) {
    if (config.keySize() != null) {
      throw new ConfigException(
          "a recurrent model has no learned keys, found a key size of "
              + config.keySize()
              + ". Set memory.keySize to 0, or leave recurrence off.");
    }
    BlockShape first = config.blocks().get(0);
    boolean alike = config.blocks().stream().allMatch(first::equals);
    if (config.normPlacement() != NormPlacement.PRE
        || !alike
        || !first.attentionPresent()
        || !first.feedForwardPresent()) {
      throw new ConfigException(
          "a recurrent model needs pre-norm blocks that are all alike and have both sublayers; found"
              + " "
              + config.normPlacement()
              + " and "
              + config.blocks()
              + ". Set model.norm to pre, or leave recurrence off.");
    }
  }

  public TransformerConfig config() {
    return config;
  }

  public RecurrenceConfig recurrence() {
    return recurrence;
  }

  /** From f to the vocabulary. */
  public VocabularyHead head() {
    return head;
  }

  /**
   * Token ids (B, T). With compression T is a multiple of its rate and at most M.
   *
   * @param memory of B rows, of any lengths; a compressed part exactly where the model compresses
   */
  public Output call(Ops tf, Operand<TInt32> tokensBT, RecurrentMemory memory, Dropout dropout) {
    Preconditions.checkArgument(
        (memory.compressed() != null) == recurrence.compression().present(),
        "a compressed memory is given exactly where the model compresses");
    SequenceShape shape = SequenceShape.of(tf, tokensBT);
    Operand<TFloat32> validBP =
        memory.compressed() == null
            ? memory.recent().validBM()
            : tf.concat(
                List.of(memory.compressed().validBM(), memory.recent().validBM()), tf.constant(1));
    RecurrentBlock.Surroundings surroundings = surroundings(tf, shape, validBP);
    Operand<TInt32> tokensN = tf.reshape(tokensBT, tf.constant(new int[] {-1}));
    Operand<TFloat32> hidden = dropout.call(tf, embedding.call(tf, tokensN, null));

    List<Operand<TFloat32>> states = new ArrayList<>();
    List<RecurrentBlock.Output> outputs = new ArrayList<>();
    states.add(hidden);
    for (int layer = 0; layer < blocks.size(); layer++) {
      RecurrentBlock.Output output =
          blocks.get(layer).call(tf, hidden, past(tf, memory, layer), surroundings, dropout);
      hidden = output.hiddenND();
      states.add(hidden);
      outputs.add(output);
    }
    Operand<TFloat32> outputND = finalNorm == null ? hidden : finalNorm.call(tf, hidden, null);
    MemoryStep step = new MemoryStep(tf, memory, shape, validBP);
    List<Operand<TFloat32>> losses = new ArrayList<>();
    RecurrentMemory next = step.next(outputs, states, losses);
    return new Output(
        ImmutableList.copyOf(states),
        outputs.get(outputs.size() - 1).tapND(),
        outputND,
        next,
        losses.isEmpty() ? tf.constant(0f) : tf.math.addN(losses),
        shape);
  }

  /** [compressed memory; memory] of a layer, (B, P, D). */
  private static Operand<TFloat32> past(Ops tf, RecurrentMemory memory, int layer) {
    Operand<TFloat32> recent = memory.recent().layersBMD().get(layer);
    return memory.compressed() == null
        ? recent
        : tf.concat(List.of(memory.compressed().layersBMD().get(layer), recent), tf.constant(1));
  }

  /** Query t sees key j of the context where j is at most P + t and holds something. */
  private RecurrentBlock.Surroundings surroundings(
      Ops tf, SequenceShape shape, Operand<TFloat32> validBP) {
    Operand<TInt32> pastLength = length(tf, validBP);
    Operand<TInt32> contextLength = tf.math.add(pastLength, shape.length());
    Operand<TInt32> query =
        tf.expandDims(tf.math.add(Masks.range(tf, shape.length()), pastLength), tf.constant(1));
    Operand<TInt32> key = tf.expandDims(Masks.range(tf, contextLength), tf.constant(0));
    Operand<TFloat32> causalTK = Masks.additive(tf, tf.math.lessEqual(key, query), TFloat32.class);
    Operand<TFloat32> validBK = tf.concat(List.of(validBP, ones(tf, shape)), tf.constant(1));
    Operand<TFloat32> presentBK =
        Masks.additive(tf, tf.math.greater(validBK, tf.constant(0f)), TFloat32.class);
    Operand<TFloat32> presentB11K =
        tf.expandDims(tf.expandDims(presentBK, tf.constant(1)), tf.constant(1));
    return new RecurrentBlock.Surroundings(
        shape,
        new SequenceShape(shape.batchSize(), contextLength),
        Positions.distances(tf, contextLength, recurrence.clampLength(), config.hiddenSize()),
        tf.math.add(causalTK, presentB11K));
  }

  /** (B, T). */
  private static Operand<TFloat32> ones(Ops tf, SequenceShape shape) {
    return tf.fill(tf.stack(List.of(shape.batchSize(), shape.length())), tf.constant(1f));
  }

  private static Operand<TInt32> length(Ops tf, Operand<TFloat32> x) {
    return tf.gather(tf.shape(x), tf.constant(1), tf.constant(0));
  }

  /** How the memory moves on by one segment. */
  private final class MemoryStep {
    private final Ops tf;
    private final RecurrentMemory memory;
    private final SequenceShape shape;
    private final Operand<TInt32> compressedLength;
    private final Operand<TFloat32> recentValid;

    MemoryStep(Ops tf, RecurrentMemory memory, SequenceShape shape, Operand<TFloat32> validBP) {
      this.tf = tf;
      this.memory = memory;
      this.shape = shape;
      compressedLength =
          memory.compressed() == null ? tf.constant(0) : length(tf, memory.compressed().validBM());
      recentValid =
          tf.concat(List.of(from(validBP, compressedLength), ones(tf, shape)), tf.constant(1));
    }

    RecurrentMemory next(
        List<RecurrentBlock.Output> outputs,
        List<Operand<TFloat32>> inputsND,
        List<Operand<TFloat32>> losses) {
      Operand<TInt32> kept = tf.math.add(compressedLength, shape.length());
      List<Operand<TFloat32>> recent = new ArrayList<>();
      outputs.forEach(output -> recent.add(from(output.contextBKD(), kept)));
      RecurrentMemory.Slots recentSlots =
          new RecurrentMemory.Slots(recent, from(recentValid, shape.length()));
      RecurrentMemory.Slots old = memory.compressed();
      return new RecurrentMemory(
          recentSlots, old == null ? null : compressed(old, outputs, inputsND, losses));
    }

    private RecurrentMemory.Slots compressed(
        RecurrentMemory.Slots old,
        List<RecurrentBlock.Output> outputs,
        List<Operand<TFloat32>> inputsND,
        List<Operand<TFloat32>> losses) {
      Operand<TFloat32> leavingValid = span(recentValid, tf.constant(0), shape.length());
      Operand<TFloat32> slotsValid =
          MemoryCompressor.valid(tf, recurrence.compression(), leavingValid);
      List<Operand<TFloat32>> layers = new ArrayList<>();
      for (int layer = 0; layer < outputs.size(); layer++) {
        RecurrentBlock.Output output = outputs.get(layer);
        RecurrentBlock.Compressed made =
            blocks
                .get(layer)
                .compress(
                    tf,
                    inputsND.get(layer),
                    shape,
                    span(output.contextBKD(), compressedLength, shape.length()),
                    span(output.usageBK(), compressedLength, shape.length()),
                    leavingValid,
                    slotsValid);
        layers.add(pushed(old.layersBMD().get(layer), tf.stopGradient(made.slotsBSD())));
        losses.add(made.loss());
      }
      return new RecurrentMemory.Slots(layers, pushed(old.validBM(), slotsValid));
    }

    /** The list without its oldest, with these at its end. */
    private Operand<TFloat32> pushed(Operand<TFloat32> slots, Operand<TFloat32> newest) {
      return from(tf.concat(List.of(slots, newest), tf.constant(1)), length(tf, newest));
    }

    /** Positions from begin on: (B, L, ...) -> (B, L - begin, ...). */
    private Operand<TFloat32> from(Operand<TFloat32> x, Operand<TInt32> begin) {
      return span(x, begin, tf.constant(-1));
    }

    private Operand<TFloat32> span(
        Operand<TFloat32> x, Operand<TInt32> begin, Operand<TInt32> size) {
      Operand<TInt32> zero = tf.constant(0);
      Operand<TInt32> all = tf.constant(-1);
      boolean withWidth = x.shape().numDimensions() == 3;
      return tf.slice(
          x,
          tf.stack(withWidth ? List.of(zero, begin, zero) : List.of(zero, begin)),
          tf.stack(withWidth ? List.of(all, size, all) : List.of(all, size)));
    }
  }
}
