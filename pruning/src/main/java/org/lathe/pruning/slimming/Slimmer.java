package org.lathe.pruning.slimming;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.plan.PruningPlan;
import org.tensorflow.ndarray.Shape;

/**
 * Folds the gates of a plan into the weights of a decoder or an encoder, then slices away what is
 * closed, so that the slim model computes exactly what the gated one computes (CoFi's own folding
 * scales only the consumers of the hidden gate, which is not exact). With z_h hidden, z_n head, z_f
 * intermediate, z_A and z_F layer gates, and kernels stored (in, out):
 *
 * <pre>
 * tables of tokens, positions,
 *   token types                  columns z_h         a tied output reads the same, gated table
 * every kept norm                gain, bias z_h      the gate multiplies the norm's output
 * attention/value                columns, bias z_n   of the head: z_n (P V) = P (z_n V)
 * attention/output               columns, bias z_A z_h
 * feed_forward/down              rows z_f; columns, bias z_F z_h
 * query, key, up, output/kernel  sliced only: they read what is scaled already
 * memory/projection              rows sliced only, for the same reason
 * memory/norm                    kept: it is over the key size, which no gate closes
 * pooler, span/output,
 *   classifier/dense             rows sliced only: they read the hidden size, no gate closes what
 *                                they give
 * classifier/output              kept where it reads a pooler or a dense layer
 * masked_lm/dense                rows, columns, bias sliced only: a gated norm follows
 * masked_lm/norm                 gain, bias z_h, as every norm over the hidden size
 * masked_lm/bias                 kept
 * </pre>
 *
 * A sublayer without open heads or units goes with its norm, except that the last layer of a
 * pre-norm model keeps its feed_forward_norm, which gives the memory representation.
 */
public final class Slimmer {
  private static final String DECODER = "decoder";

  private Slimmer() {}

  /**
   * A decoder language model.
   *
   * @param config of the weights; its dropout rates may differ from the plan's and are kept
   * @param weights of the model, named {@code decoder/...}; other names are left out. Not changed
   * @param plan made for this configuration
   * @throws GraphMismatchException when plan, configuration and weights do not belong together
   */
  public static SlimModel slim(TransformerConfig config, Weights weights, PruningPlan plan) {
    requireSameModel(config, plan);
    require(weights, DecoderShapes.of(config, DECODER), List.of(DECODER), "weights to slim");
    Folding folding = new Folding(config, weights, plan);
    folding.table(DECODER + "/embedding/tokens");
    folding.table(DECODER + "/embedding/positions");
    folding.blocks(DECODER);
    if (config.finalNorm()) {
      folding.norm(DECODER + "/final_norm");
    }
    if (!config.tiedOutput()) {
      folding.outputTable(DECODER + "/output/kernel");
    }
    if (config.keySize() != null) {
      folding.readerKernel(DECODER + "/memory/projection/kernel");
      folding.copy(DECODER + "/memory/norm/gain");
      folding.copy(DECODER + "/memory/norm/bias");
    }
    TransformerConfig slimConfig = slimConfig(config, plan);
    Map<String, Shape> wanted = DecoderShapes.of(slimConfig, DECODER);
    require(folding.slim(), wanted, List.of(DECODER), "slim weights");
    return new SlimModel(slimConfig, folding.slim());
  }

  /**
   * An encoder and the head on it.
   *
   * @param config of the weights; its dropout rates may differ from the plan's and are kept
   * @param head whose weights are named by its kind's prefix, or null for the encoder alone
   * @param weights named {@code encoder/...} and of the head; other names are left out. Not changed
   * @param plan made for this encoder's {@code transformer}
   * @throws GraphMismatchException when plan, configuration and weights do not belong together
   */
  public static SlimEncoder slim(
      EncoderConfig config, @Nullable HeadConfig head, Weights weights, PruningPlan plan) {
    requireSameModel(config.transformer(), plan);
    String prefix = Encoder.PREFIX;
    List<String> prefixes = head == null ? List.of(prefix) : List.of(prefix, head.kind().prefix());
    require(weights, encoderShapes(config, head), prefixes, "weights to slim");
    Folding folding = new Folding(config.transformer(), weights, plan);
    folding.table(prefix + "/embedding/tokens");
    folding.table(prefix + "/embedding/positions");
    if (config.numTokenTypes() > 0) {
      folding.table(prefix + "/embedding/token_types");
    }
    folding.norm(prefix + "/embedding/norm");
    folding.blocks(prefix);
    if (config.hasPooler()) {
      folding.reader(prefix + "/pooler");
    }
    if (head != null) {
      head(folding, head);
    }
    EncoderConfig slimConfig = config.withTransformer(slimConfig(config.transformer(), plan));
    require(folding.slim(), encoderShapes(slimConfig, head), prefixes, "slim weights");
    return new SlimEncoder(slimConfig, head, folding.slim());
  }

  private static void head(Folding folding, HeadConfig head) {
    String prefix = head.kind().prefix();
    switch (head.kind()) {
      case POOLED_CLASSIFIER -> copyLinear(folding, prefix + "/output");
      case TANH_CLASSIFIER, RELU_CLASSIFIER -> {
        folding.reader(prefix + "/dense");
        copyLinear(folding, prefix + "/output");
      }
      case SPAN -> folding.reader(prefix + "/output");
      case MASKED_LM -> {
        folding.innerLinear(prefix + "/dense");
        folding.norm(prefix + "/norm");
        folding.copy(prefix + "/bias");
      }
    }
  }

  private static void copyLinear(Folding folding, String name) {
    folding.copy(name + "/kernel");
    folding.copy(name + "/bias");
  }

  /** The shape that a plan leaves of a model, whose dropout rates it keeps. */
  public static TransformerConfig slimConfig(TransformerConfig config, PruningPlan plan) {
    return plan.slimConfig().withDropout(config.dropout()).withInnerDropout(config.innerDropout());
  }

  private static void requireSameModel(TransformerConfig config, PruningPlan plan) {
    if (!withoutRates(config).equals(withoutRates(plan.config()))) {
      throw new GraphMismatchException(
          "the plan was made for "
              + plan.config()
              + ", the weights are of "
              + config
              + ". Use the plan of this run.");
    }
  }

  /** A plan may be of a run that was trained with other dropout. */
  private static TransformerConfig withoutRates(TransformerConfig config) {
    return config.withDropout(0).withInnerDropout(null);
  }

  private static Map<String, Shape> encoderShapes(EncoderConfig config, @Nullable HeadConfig head) {
    Map<String, Shape> shapes = new LinkedHashMap<>(EncoderShapes.of(config, Encoder.PREFIX));
    if (head != null) {
      shapes.putAll(EncoderShapes.ofHead(config, head, head.kind().prefix()));
    }
    return shapes;
  }

  /** Of the weights under these prefixes, exactly these. */
  private static void require(
      Weights weights, Map<String, Shape> expected, List<String> prefixes, String source) {
    Weights own = new Weights();
    for (String name : weights.names()) {
      if (prefixes.stream().anyMatch(prefix -> name.startsWith(prefix + "/"))) {
        Weights.Array array = weights.get(name);
        own.put(name, array.shape(), array.values());
      }
    }
    own.requireExactly(expected, source);
  }
}
