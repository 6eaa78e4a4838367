package org.lathe.pruning.importance;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.importance.BlockRunner.Sublayer;
import org.lathe.training.batching.StepBatches;
import org.lathe.training.examples.ExampleBatch;

/**
 * Factors on the units that stay, by which each sublayer of the masked encoder, given the masked
 * encoder's own input, comes nearest to the sums of the unpruned one (Kwon et al. 2022, section
 * 4.3): sublayer by sublayer from below, over positions with tokens,
 *
 * <pre>
 * min over m of  |x_masked + sum_i m_i u_i(x_masked) + bias - (x + sublayer(x))|^2
 * </pre>
 *
 * with u_i(x) what unit i adds, see {@link LeastSquares}. A sublayer whose factors run out of
 * bounds keeps its units as they are. Factors may be negative or above 1, where gates may not, so
 * they are folded into the weights.
 */
public final class Rescaling {
  /** Each position gives as many equations as there are hidden dimensions: more bring nothing. */
  static final int MAX_POSITIONS = 16_384;

  private final TransformerConfig config;
  private final Weights weights;
  private final GateValues gates;
  private final Weights rescaled = new Weights();
  private final List<ExampleBatch> batches = new ArrayList<>();
  private final List<float[]> teacherStates = new ArrayList<>();
  private final List<float[]> maskedStates = new ArrayList<>();

  private Rescaling(TransformerConfig config, Weights weights, GateValues gates) {
    this.config = config;
    this.weights = weights;
    this.gates = gates;
    for (String name : weights.names()) {
      Weights.Array array = weights.get(name);
      rescaled.put(name, array.shape(), array.values());
    }
  }

  /**
   * The weights, of the unpruned shape, with the factors folded into the values of heads and the
   * rows of feed_forward/down.
   *
   * @param weights of encoder and head; not changed
   * @param gates 1 or 0, all hidden dimensions open
   * @param batches of which so many are looked at, fewer where they hold {@link #MAX_POSITIONS}
   * @param threads of TensorFlow; 0 = all cores
   */
  public static Weights rescale(
      EncoderConfig config,
      Weights weights,
      GateValues gates,
      StepBatches<ExampleBatch> batches,
      int numBatches,
      int threads) {
    Rescaling rescaling = new Rescaling(config.transformer(), weights, gates.closed());
    try (BlockRunner runner = new BlockRunner(config, weights, threads)) {
      rescaling.embed(runner, batches, numBatches);
      for (int layer = 0; layer < config.transformer().numLayers(); layer++) {
        runner.load(weights, layer);
        rescaling.rescale(runner, Sublayer.ATTENTION, layer);
        rescaling.rescale(runner, Sublayer.FEED_FORWARD, layer);
      }
    }
    return rescaling.rescaled;
  }

  private void embed(BlockRunner runner, StepBatches<ExampleBatch> given, int numBatches) {
    int positions = 0;
    for (int i = 0; i < numBatches && positions < MAX_POSITIONS; i++) {
      ExampleBatch batch = given.at(i);
      positions += batch.batchSize() * batch.length();
      float[] state = runner.embed(batch);
      batches.add(batch);
      teacherStates.add(state);
      maskedStates.add(state);
    }
  }

  private void rescale(BlockRunner runner, Sublayer sublayer, int layer) {
    boolean attention = sublayer == Sublayer.ATTENTION;
    float[] open = (attention ? gates.heads() : gates.intermediate())[layer];
    float layerGate = (attention ? gates.attentionLayer() : gates.feedForwardLayer())[layer];
    int parts = attention ? config.headSize() : 1;
    int[] kept = layerGate == 0 ? new int[0] : GateValues.openIndices(open);
    float[] ones = ones(open.length);
    LeastSquares equations = new LeastSquares(kept.length);
    for (int i = 0; i < batches.size(); i++) {
      BlockRunner.Step taught = runner.step(sublayer, batches.get(i), teacherStates.get(i), ones);
      if (kept.length > 0) {
        BlockRunner.Products products =
            runner.products(
                sublayer, batches.get(i), maskedStates.get(i), taught.sum(), columns(kept, parts));
        equations.add(products.gram(), products.right(), parts);
      }
      teacherStates.set(i, taught.next());
    }
    if (kept.length == 0) {
      return; // an identity
    }
    float[] factors = ones;
    double[] solved = equations.solve();
    if (solved != null) {
      for (int i = 0; i < kept.length; i++) {
        factors[kept[i]] = (float) solved[i];
      }
      fold(sublayer, layer, factors);
    }
    float[] masked = factors.clone();
    for (int i = 0; i < masked.length; i++) {
      masked[i] *= open[i];
    }
    for (int i = 0; i < batches.size(); i++) {
      maskedStates.set(
          i, runner.step(sublayer, batches.get(i), maskedStates.get(i), masked).next());
    }
  }

  private static int[] columns(int[] units, int parts) {
    int[] columns = new int[units.length * parts];
    Arrays.setAll(columns, i -> units[i / parts] * parts + i % parts);
    return columns;
  }

  private void fold(Sublayer sublayer, int layer, float[] factors) {
    String prefix = Encoder.PREFIX + "/layer_" + layer;
    if (sublayer == Sublayer.ATTENTION) {
      int headSize = config.headSize();
      int width = factors.length * headSize;
      scale(prefix + "/attention/value/kernel", factors, i -> i % width / headSize);
      scale(prefix + "/attention/value/bias", factors, i -> i / headSize);
    } else {
      int hiddenSize = config.hiddenSize();
      scale(prefix + "/feed_forward/down/kernel", factors, i -> i / hiddenSize);
    }
  }

  private void scale(String name, float[] factors, IntUnaryOperator unitOf) {
    Weights.Array array = weights.get(name);
    float[] values = array.values().clone();
    for (int i = 0; i < values.length; i++) {
      values[i] *= factors[unitOf.applyAsInt(i)];
    }
    rescaled.put(name, array.shape(), values);
  }

  private static float[] ones(int size) {
    float[] values = new float[size];
    Arrays.fill(values, 1);
    return values;
  }
}
