package org.lathe.pruning.importance;

import java.util.LinkedHashMap;
import java.util.Map;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.slimming.EncoderShapes;
import org.tensorflow.ndarray.Shape;

/**
 * Fresh weights that are distributed as a slim model's own would be once they are sliced. Initial
 * values of kernels have the deviation 1 / sqrt(inputs), those of the token table 1 / sqrt(hidden
 * size); a slice of them has fewer inputs and would start too small.
 */
public final class FreshStudent {
  private static final String KERNEL = "/kernel";
  private static final String TOKENS = "/embedding/tokens";

  private FreshStudent() {}

  /**
   * Initial values, of the unpruned shape, to be sliced by the plan.
   *
   * @param initial values of the full encoder and head; not changed
   * @param plan whose gates are 1 or 0
   */
  public static Weights of(EncoderConfig full, HeadConfig head, Weights initial, PruningPlan plan) {
    Map<String, Shape> slim = shapes(full.withTransformer(plan.slimConfig()), head);
    Weights fresh = new Weights();
    for (String name : initial.names()) {
      Weights.Array array = initial.get(name);
      Shape slimShape = slim.get(name);
      fresh.put(
          name,
          array.shape(),
          slimShape == null // of a sublayer that goes
              ? array.values()
              : scaled(array.values(), shrinkage(name, array.shape(), slimShape)));
    }
    return fresh;
  }

  private static Map<String, Shape> shapes(EncoderConfig config, HeadConfig head) {
    Map<String, Shape> shapes = new LinkedHashMap<>(EncoderShapes.of(config, Encoder.PREFIX));
    shapes.putAll(EncoderShapes.ofHead(config, head, head.kind().prefix()));
    return shapes;
  }

  /** Full over slim size of the axis that the initializer divides by. */
  private static double shrinkage(String name, Shape full, Shape slim) {
    if (name.endsWith(KERNEL)) {
      return (double) full.get(0) / slim.get(0);
    }
    return name.endsWith(TOKENS) ? (double) full.get(1) / slim.get(1) : 1;
  }

  private static float[] scaled(float[] values, double shrinkage) {
    float factor = (float) Math.sqrt(shrinkage);
    float[] result = values.clone();
    for (int i = 0; i < result.length; i++) {
      result[i] *= factor;
    }
    return result;
  }
}
