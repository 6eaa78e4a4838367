package org.lathe.export.savedmodel;

import org.lathe.graphs.weights.Weights;

/**
 * A float32 matrix as one byte a value, symmetric about 0: w = s (q - 128), q in [1, 255], where s
 * = max |w| / 127 over a row or over a column, whichever of the two ways has the smaller squared
 * error over the matrix. Kernels are (in, out), so that a factor for each column is one for each
 * output; tables of vectors, (rows, width), mostly take one for each row. 0 is kept exactly and no
 * value is off by more than s / 2, but for the rounding of float32.
 *
 * @param numRows R
 * @param numColumns C
 * @param byRow factors are for rows
 * @param values q, row by row: R * C
 * @param factors s: R or C
 */
record PackedMatrix(int numRows, int numColumns, boolean byRow, byte[] values, float[] factors) {
  /** Of what is stored. TensorFlow's unsigned bytes can cross into Java, its signed ones cannot. */
  static final int ZERO = 128;

  private static final int LARGEST = 127;

  static PackedMatrix of(Weights.Array matrix) {
    int numRows = Math.toIntExact(matrix.shape().get(0));
    int numColumns = Math.toIntExact(matrix.shape().get(1));
    PackedMatrix rows = pack(matrix.values(), numRows, numColumns, true);
    PackedMatrix columns = pack(matrix.values(), numRows, numColumns, false);
    return rows.squaredError(matrix.values()) < columns.squaredError(matrix.values())
        ? rows
        : columns;
  }

  /** What the graph computes with, in the same order of float32 operations. */
  float[] unpacked() {
    float[] result = new float[values.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = value(i);
    }
    return result;
  }

  private float value(int i) {
    return (float) (Byte.toUnsignedInt(values[i]) - ZERO) * factors[line(i)];
  }

  private int line(int i) {
    return byRow ? i / numColumns : i % numColumns;
  }

  private double squaredError(float[] matrix) {
    double sum = 0;
    for (int i = 0; i < matrix.length; i++) {
      double error = (double) matrix[i] - value(i);
      sum += error * error;
    }
    return sum;
  }

  private static PackedMatrix pack(float[] matrix, int numRows, int numColumns, boolean byRow) {
    byte[] values = new byte[matrix.length];
    float[] factors = new float[byRow ? numRows : numColumns];
    PackedMatrix packed = new PackedMatrix(numRows, numColumns, byRow, values, factors);
    for (int i = 0; i < matrix.length; i++) {
      int line = packed.line(i);
      factors[line] = Math.max(factors[line], Math.abs(matrix[i]) / LARGEST);
    }
    for (int i = 0; i < matrix.length; i++) {
      float factor = factors[packed.line(i)];
      int steps = factor == 0 ? 0 : Math.round(matrix[i] / factor);
      // the division of subnormal values may round beyond
      values[i] = (byte) (Math.max(-LARGEST, Math.min(LARGEST, steps)) + ZERO);
    }
    return packed;
  }
}
