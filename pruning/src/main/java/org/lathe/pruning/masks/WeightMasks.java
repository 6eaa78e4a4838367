package org.lathe.pruning.masks;

import com.google.common.base.Preconditions;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.weights.Weights;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** Which weights of some kernels stay; the others are 0 and stay so. Does not change. */
public final class WeightMasks {
  /** No kernel is masked. */
  public static final WeightMasks NONE = new WeightMasks(Map.of());

  private final Map<String, boolean[]> kept;

  private WeightMasks(Map<String, boolean[]> kept) {
    this.kept = kept;
  }

  /**
   * Of the n weights of all arrays together the min(n - 1, rint(sparsity n)) with the smallest
   * scores go, equal ones in order.
   *
   * @param scores by kernel, of its shape
   */
  static WeightMasks largest(Weights scores, double sparsity) {
    float[] sorted = new float[Math.toIntExact(scores.numValues())];
    int next = 0;
    for (String name : scores.names()) {
      float[] values = scores.get(name).values();
      System.arraycopy(values, 0, sorted, next, values.length);
      next += values.length;
    }
    Arrays.sort(sorted);
    int numRemoved = (int) Math.min(sorted.length - 1, Math.rint(sparsity * sorted.length));
    float threshold = sorted[numRemoved]; // the smallest score that stays
    int numTiesRemoved = numRemoved;
    while (numTiesRemoved > 0 && sorted[numRemoved - numTiesRemoved] < threshold) {
      numTiesRemoved--;
    }
    Map<String, boolean[]> kept = new LinkedHashMap<>();
    for (String name : scores.names()) {
      float[] values = scores.get(name).values();
      boolean[] mask = new boolean[values.length];
      for (int i = 0; i < values.length; i++) {
        mask[i] = values[i] > threshold || (values[i] == threshold && numTiesRemoved-- <= 0);
      }
      kept.put(name, mask);
    }
    return new WeightMasks(kept);
  }

  public boolean isEmpty() {
    return kept.isEmpty();
  }

  /** These weights with 0 wherever a mask is closed; arrays without a mask are not copied. */
  public Weights applyTo(Weights weights) {
    Weights masked = new Weights();
    for (String name : weights.names()) {
      Weights.Array array = weights.get(name);
      boolean[] mask = kept.get(name);
      masked.put(name, array.shape(), mask == null ? array.values() : masked(array, mask, name));
    }
    return masked;
  }

  private static float[] masked(Weights.Array array, boolean[] mask, String name) {
    float[] values = array.values().clone();
    requireSize(name, mask, values.length);
    for (int i = 0; i < values.length; i++) {
      values[i] = mask[i] ? values[i] : 0;
    }
    return values;
  }

  /**
   * Puts the masks as constants between the kernels of a graph and the layers that read them, so
   * that what is 0 gets no gradient and stays 0.
   */
  public void install(Ops tf, VariableCatalog catalog) {
    kept.forEach(
        (name, mask) -> {
          Variable kernel = catalog.get(name);
          requireSize(name, mask, kernel.size());
          Operand<TFloat32> factor =
              MaskOps.constant(tf, tf.constant(kernel.shape(), DataBuffers.of(mask, true, false)));
          catalog.readThrough(name, value -> tf.math.mul(value, factor));
        });
  }

  private static void requireSize(String name, boolean[] mask, long size) {
    Preconditions.checkArgument(
        mask.length == size, "the mask of '%s' has %s places, it has %s", name, mask.length, size);
  }
}
