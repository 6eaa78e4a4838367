package org.lathe.pruning.slimming;

import com.google.common.primitives.Ints;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.plan.LayerPlan;
import org.lathe.pruning.plan.PruningPlan;
import org.tensorflow.ndarray.Shape;

/**
 * Folds the gates of a plan into the weights of a decoder, then slices away what is closed, so that
 * the slim model computes exactly what the gated one computes (CoFi's own folding scales only the
 * consumers of the hidden gate, which is not exact). With z_h hidden, z_n head, z_f intermediate,
 * z_A and z_F layer gates, and kernels stored (in, out):
 *
 * <pre>
 * token and position tables      columns z_h         a tied output reads the same, gated table
 * every kept norm                gain, bias z_h      the gate multiplies the norm's output
 * attention/value                columns, bias z_n   of the head: z_n (P V) = P (z_n V)
 * attention/output               columns, bias z_A z_h
 * feed_forward/down              rows z_f; columns, bias z_F z_h
 * query, key, up, output/kernel  sliced only: they read what is scaled already
 * memory/projection              rows sliced only, for the same reason
 * memory/norm                    kept: it is over the key size, which no gate closes
 * </pre>
 *
 * A sublayer without open heads or units goes with its norm, except that the last layer of a
 * pre-norm model keeps its feed_forward_norm, which gives the memory representation.
 */
public final class Slimmer {
  private static final String PREFIX = "decoder";

  private final TransformerConfig config;
  private final Weights weights;
  private final GateValues gates;
  private final int[] hidden;
  private final float[] hiddenScale;
  private final Weights slim = new Weights();

  private Slimmer(TransformerConfig config, Weights weights, PruningPlan plan) {
    this.config = config;
    this.weights = weights;
    this.gates = plan.gates();
    this.hidden = Ints.toArray(plan.keptHidden());
    this.hiddenScale = gates.hidden();
  }

  /**
   * @param config of the weights; its dropout rate may differ from the plan's and is kept
   * @param weights of the model, named {@code decoder/...}; other names are left out. Not changed
   * @param plan made for this configuration
   * @throws GraphMismatchException when plan, configuration and weights do not belong together
   */
  public static SlimModel slim(TransformerConfig config, Weights weights, PruningPlan plan) {
    if (!config.withDropout(0).equals(plan.config().withDropout(0))) {
      throw new GraphMismatchException(
          "the plan was made for "
              + plan.config()
              + ", the weights are of "
              + config
              + ". Use the plan of this run.");
    }
    requireDecoder(config, weights, "weights to slim");
    TransformerConfig slimConfig = plan.slimConfig().withDropout(config.dropout());
    Weights slim = new Slimmer(config, weights, plan).slim(plan, slimConfig);
    requireDecoder(slimConfig, slim, "slim weights");
    return new SlimModel(slimConfig, slim);
  }

  private Weights slim(PruningPlan plan, TransformerConfig slimConfig) {
    Map<String, Shape> wanted = DecoderShapes.of(slimConfig, PREFIX);
    table(PREFIX + "/embedding/tokens");
    table(PREFIX + "/embedding/positions");
    for (int layer = 0; layer < config.numLayers(); layer++) {
      LayerPlan layerPlan = plan.layers().get(layer);
      String name = PREFIX + "/layer_" + layer;
      if (!layerPlan.keptHeads().isEmpty()) {
        attention(name + "/attention", layer, layerPlan.keptHeads());
        norm(name + "/attention_norm");
      }
      if (!layerPlan.keptIntermediate().isEmpty()) {
        feedForward(name + "/feed_forward", layer, layerPlan.keptIntermediate());
      }
      if (wanted.containsKey(name + "/feed_forward_norm/gain")) {
        norm(name + "/feed_forward_norm");
      }
    }
    if (config.finalNorm()) {
      norm(PREFIX + "/final_norm");
    }
    if (!config.tiedOutput()) {
      String name = PREFIX + "/output/kernel";
      put(name, allRows(name), hidden, ones(config.vocabularySize()), ones(config.hiddenSize()));
    }
    if (config.keySize() != null) {
      keys(PREFIX + "/memory", config.keySize());
    }
    return slim;
  }

  private void keys(String name, int keySize) {
    float[] scale = ones(keySize);
    int[] all = first(keySize);
    put(name + "/projection/kernel", hidden, all, ones(config.hiddenSize()), scale);
    putVector(name + "/norm/gain", all, scale);
    putVector(name + "/norm/bias", all, scale);
  }

  private void table(String name) {
    int[] rows = allRows(name);
    put(name, rows, hidden, ones(rows.length), hiddenScale);
  }

  private void norm(String name) {
    putVector(name + "/gain", hidden, hiddenScale);
    putVector(name + "/bias", hidden, hiddenScale);
  }

  private void attention(String name, int layer, List<Integer> keptHeads) {
    int headSize = config.headSize();
    float[] headGates = gates.heads()[layer];
    int fullContext = headGates.length * headSize;
    int[] context = new int[keptHeads.size() * headSize];
    for (int i = 0; i < context.length; i++) {
      context[i] = keptHeads.get(i / headSize) * headSize + i % headSize;
    }
    float[] contextScale = new float[fullContext];
    for (int i = 0; i < fullContext; i++) {
      contextScale[i] = headGates[i / headSize];
    }
    float[] outputScale = scaled(hiddenScale, gates.attentionLayer()[layer]);
    float[] allHidden = ones(config.hiddenSize());
    linear(name + "/query", hidden, context, allHidden, ones(fullContext));
    linear(name + "/key", hidden, context, allHidden, ones(fullContext));
    linear(name + "/value", hidden, context, allHidden, contextScale);
    linear(name + "/output", context, hidden, ones(fullContext), outputScale);
  }

  private void feedForward(String name, int layer, List<Integer> keptUnits) {
    int[] units = Ints.toArray(keptUnits);
    float[] unitGates = gates.intermediate()[layer];
    float[] outputScale = scaled(hiddenScale, gates.feedForwardLayer()[layer]);
    linear(name + "/up", hidden, units, ones(config.hiddenSize()), ones(unitGates.length));
    linear(name + "/down", units, hidden, unitGates, outputScale);
  }

  /** Kernel scaled by rows and columns, bias by columns, both sliced. */
  private void linear(
      String name, int[] rows, int[] columns, float[] rowScale, float[] columnScale) {
    put(name + "/kernel", rows, columns, rowScale, columnScale);
    putVector(name + "/bias", columns, columnScale);
  }

  private void put(String name, int[] rows, int[] columns, float[] rowScale, float[] columnScale) {
    Weights.Array array = weights.get(name);
    float[] from = array.values();
    int width = Math.toIntExact(array.shape().get(1));
    float[] to = new float[rows.length * columns.length];
    for (int r = 0; r < rows.length; r++) {
      for (int c = 0; c < columns.length; c++) {
        to[r * columns.length + c] =
            from[rows[r] * width + columns[c]] * rowScale[rows[r]] * columnScale[columns[c]];
      }
    }
    slim.put(name, Shape.of(rows.length, columns.length), to);
  }

  private void putVector(String name, int[] kept, float[] scale) {
    float[] from = weights.get(name).values();
    float[] to = new float[kept.length];
    for (int i = 0; i < kept.length; i++) {
      to[i] = from[kept[i]] * scale[kept[i]];
    }
    slim.put(name, Shape.of(kept.length), to);
  }

  private int[] allRows(String name) {
    return first(Math.toIntExact(weights.get(name).shape().get(0)));
  }

  private static int[] first(int count) {
    int[] indices = new int[count];
    Arrays.setAll(indices, i -> i);
    return indices;
  }

  private static void requireDecoder(TransformerConfig config, Weights weights, String source) {
    Weights own = new Weights();
    for (String name : weights.names()) {
      if (name.startsWith(PREFIX + "/")) {
        Weights.Array array = weights.get(name);
        own.put(name, array.shape(), array.values());
      }
    }
    own.requireExactly(DecoderShapes.of(config, PREFIX), source);
  }

  private static float[] scaled(float[] values, float factor) {
    float[] result = values.clone();
    for (int i = 0; i < result.length; i++) {
      result[i] *= factor;
    }
    return result;
  }

  private static float[] ones(int size) {
    float[] values = new float[size];
    Arrays.fill(values, 1);
    return values;
  }
}
