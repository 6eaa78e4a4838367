package org.lathe.graphs.layers;

import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * Learned keys of a memory, narrower than the model, so that more of them fit into the same bytes:
 *
 * <pre>
 *   q = k = LayerNorm(g W)        W (D, P), without bias;  s = q . k / sqrt(P)
 * </pre>
 *
 * <p>The norm has gain and bias like the one that makes g, which these keys stand in for. At its
 * initial values |k| = sqrt(P), hence |s| at most sqrt(P), where that of g is at most sqrt(D); the
 * gain lets training make the scores as sharp as it makes those of g. Without it the narrow keys
 * could never outweigh a large vocabulary, and the tuner's temperatures would have to make up for
 * it.
 *
 * <p>Names: {@code name/projection/kernel} (D, P), {@code name/norm/gain} and {@code
 * name/norm/bias} (P). Shape letters: N positions, D hidden, P key size.
 */
public final class KeyProjection {
  private final Linear projection;
  private final LayerNorm norm;

  /**
   * @param epsilon added to the variance over P
   */
  public KeyProjection(
      VariableCatalog catalog,
      String name,
      int hiddenSize,
      int keySize,
      double epsilon,
      VariableGroup group) {
    projection =
        new Linear(
            catalog,
            name + "/projection",
            hiddenSize,
            keySize,
            /* withBias= */ false,
            Initializer.scaledByFanIn(),
            group);
    norm = new LayerNorm(catalog, name + "/norm", keySize, epsilon, group);
  }

  /**
   * (N, D) -> (N, P). The gates of a hidden size in pruning are in g already and have no part in a
   * norm over P.
   */
  public Operand<TFloat32> call(Ops tf, Operand<TFloat32> tapND) {
    return norm.call(tf, projection.call(tf, tapND), null);
  }
}
