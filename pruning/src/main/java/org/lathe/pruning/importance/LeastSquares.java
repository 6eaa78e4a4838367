package org.lathe.pruning.importance;

import com.google.common.base.Preconditions;
import org.jspecify.annotations.Nullable;

/**
 * The damped normal equations of factors m on the columns of A:
 *
 * <pre>
 * min |A m - y|^2 + d |m - 1|^2    (A'A + d I) m = A'y + d 1,   d = 0.001 mean diagonal of A'A
 * </pre>
 *
 * The damping pulls towards 1, the unscaled unit, as in the published code (Kwon et al. 2022), and
 * is relative, so that it does not depend on how many examples were seen; theirs is 1.
 */
final class LeastSquares {
  /** d by the mean diagonal. */
  static final double DAMPING = 1e-3;

  /** Factors beyond this mean that the equations do not determine them (Kwon et al. 2022). */
  static final double MAX_FACTOR = 10;

  private final double[][] gram;
  private final double[] right;

  /**
   * @param size n, columns of A
   */
  LeastSquares(int size) {
    gram = new double[size][size];
    right = new double[size];
  }

  /**
   * Adds rows of A and y whose products are given by parts of a column.
   *
   * @param partGram row-major (n p, n p); parts of column i are i p to i p + p - 1
   * @param partRight (n p)
   * @param parts p: a head's context has as many columns as the head is wide, a unit has one
   */
  void add(float[] partGram, float[] partRight, int parts) {
    int width = right.length * parts;
    Preconditions.checkArgument(
        partRight.length == width && partGram.length == width * width,
        "%s and %s products for %s columns of %s parts",
        partGram.length,
        partRight.length,
        right.length,
        parts);
    for (int i = 0; i < width; i++) {
      right[i / parts] += partRight[i];
      double[] row = gram[i / parts];
      for (int j = 0; j < width; j++) {
        row[j / parts] += partGram[i * width + j];
      }
    }
  }

  /** m, or null where A is 0 or a factor is out of bounds. */
  double @Nullable [] solve() {
    int size = right.length;
    double trace = 0;
    for (int i = 0; i < size; i++) {
      trace += gram[i][i];
    }
    double damping = DAMPING * trace / size;
    if (!(damping > 0 && Double.isFinite(damping))) {
      return null;
    }
    double[] factors = new double[size];
    for (int i = 0; i < size; i++) {
      factors[i] = right[i] + damping;
    }
    substitute(cholesky(damping), factors);
    for (double factor : factors) {
      if (!(Math.abs(factor) <= MAX_FACTOR)) { // NaN included
        return null;
      }
    }
    return factors;
  }

  /** L with L L' = A'A + d I, lower triangle. */
  private double[][] cholesky(double damping) {
    int size = right.length;
    double[][] lower = new double[size][];
    for (int i = 0; i < size; i++) {
      lower[i] = new double[i + 1];
      for (int j = 0; j <= i; j++) {
        double value = gram[i][j] + (i == j ? damping : 0) - dot(lower[i], lower[j], j);
        lower[i][j] = i == j ? Math.sqrt(value) : value / lower[j][j];
      }
    }
    return lower;
  }

  /** Solves L L' x = b in place. */
  private static void substitute(double[][] lower, double[] x) {
    for (int i = 0; i < x.length; i++) {
      x[i] = (x[i] - dot(lower[i], x, i)) / lower[i][i];
    }
    for (int i = x.length - 1; i >= 0; i--) {
      x[i] /= lower[i][i];
      for (int j = 0; j < i; j++) {
        x[j] -= lower[i][j] * x[i];
      }
    }
  }

  private static double dot(double[] a, double[] b, int count) {
    double sum = 0;
    for (int k = 0; k < count; k++) {
      sum += a[k] * b[k];
    }
    return sum;
  }
}
