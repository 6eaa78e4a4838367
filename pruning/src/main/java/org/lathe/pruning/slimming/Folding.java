package org.lathe.pruning.slimming;

import com.google.common.primitives.Ints;
import java.util.Arrays;
import java.util.List;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.plan.LayerPlan;
import org.lathe.pruning.plan.PruningPlan;
import org.tensorflow.ndarray.Shape;

/**
 * Folds and slices one array at a time, by what a gate does to it; {@link Slimmer} says which array
 * is which. Arrays that nobody asks for are left out.
 */
final class Folding {
  private final TransformerConfig config;
  private final Weights weights;
  private final List<LayerPlan> layers;
  private final GateValues gates;
  private final int[] hidden;
  private final float[] hiddenScale;
  private final float[] hiddenOnes;
  private final Weights slim = new Weights();

  Folding(TransformerConfig config, Weights weights, PruningPlan plan) {
    this.config = config;
    this.weights = weights;
    this.layers = plan.layers();
    this.gates = plan.gates();
    this.hidden = Ints.toArray(plan.keptHidden());
    this.hiddenScale = gates.hidden();
    this.hiddenOnes = ones(config.hiddenSize());
  }

  /** What was folded so far. */
  Weights slim() {
    return slim;
  }

  /** (rows, D): columns times the hidden gate. */
  void table(String name) {
    int[] rows = allRows(name);
    put(name, rows, hidden, ones(rows.length), hiddenScale);
  }

  /** (rows, D) that multiplies a gated state: columns sliced only. */
  void outputTable(String name) {
    int[] rows = allRows(name);
    put(name, rows, hidden, ones(rows.length), hiddenOnes);
  }

  /** A norm over D: the gate multiplies its output. */
  void norm(String name) {
    putVector(name + "/gain", hidden, hiddenScale);
    putVector(name + "/bias", hidden, hiddenScale);
  }

  /** A kernel (D, any) that reads a gated state: rows sliced only. */
  void readerKernel(String name) {
    int[] columns = first(Math.toIntExact(weights.get(name).shape().get(1)));
    put(name, hidden, columns, hiddenOnes, ones(columns.length));
  }

  /** Kernel (D, any) and bias of a layer that reads a gated state. */
  void reader(String name) {
    readerKernel(name + "/kernel");
    copy(name + "/bias");
  }

  /** From D to D, before a norm over the open dimensions: both sides of the kernel sliced only. */
  void innerLinear(String name) {
    linear(name, hidden, hidden, hiddenOnes, hiddenOnes);
  }

  /** No gate reaches it. */
  void copy(String name) {
    Weights.Array array = weights.get(name);
    slim.put(name, array.shape(), array.values().clone());
  }

  /** {@code prefix/layer_i/...} of a decoder or an encoder. */
  void blocks(String prefix) {
    for (int layer = 0; layer < config.numLayers(); layer++) {
      LayerPlan plan = layers.get(layer);
      String name = prefix + "/layer_" + layer;
      if (!plan.keptHeads().isEmpty()) {
        attention(name + "/attention", layer, plan.keptHeads());
        norm(name + "/attention_norm");
      }
      boolean feedForward = !plan.keptIntermediate().isEmpty();
      if (feedForward) {
        feedForward(name + "/feed_forward", layer, plan.keptIntermediate());
      }
      if (feedForward || WeightShapes.keepsTap(config, layer)) {
        norm(name + "/feed_forward_norm");
      }
    }
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
    linear(name + "/query", hidden, context, hiddenOnes, ones(fullContext));
    linear(name + "/key", hidden, context, hiddenOnes, ones(fullContext));
    linear(name + "/value", hidden, context, hiddenOnes, contextScale);
    linear(name + "/output", context, hidden, ones(fullContext), outputScale);
  }

  private void feedForward(String name, int layer, List<Integer> keptUnits) {
    int[] units = Ints.toArray(keptUnits);
    float[] unitGates = gates.intermediate()[layer];
    float[] outputScale = scaled(hiddenScale, gates.feedForwardLayer()[layer]);
    linear(name + "/up", hidden, units, hiddenOnes, ones(unitGates.length));
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
