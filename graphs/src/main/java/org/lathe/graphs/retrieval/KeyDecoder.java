package org.lathe.graphs.retrieval;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat16;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TUint8;
import org.tensorflow.types.family.TNumber;

/**
 * Codes to keys. Since a decoded key meets many queries in one matrix product, this is cheaper than
 * a table look-up for every pair of query and key, and gives the same sums: with codewords c_m, q .
 * k = q . centroid + sum over m of q_m . c_m.
 *
 * @param width D
 * @param scalesD for INT8, otherwise null
 * @param offsetsD for INT8, otherwise null
 * @param codewords for PRODUCT (M * 256, D / M), otherwise null
 * @param numSubvectors M for PRODUCT, otherwise 0
 */
public record KeyDecoder(
    KeyEncoding encoding,
    int width,
    @Nullable Operand<TFloat32> scalesD,
    @Nullable Operand<TFloat32> offsetsD,
    @Nullable Operand<TFloat32> codewords,
    int numSubvectors) {
  /** Codewords of one sub-vector: what a byte can name. */
  public static final int CODEWORDS = 256;

  /** Type of the codes' tensor; bytes are unsigned. */
  public static Class<? extends TNumber> codeType(KeyEncoding encoding) {
    return switch (encoding) {
      case FLOAT32 -> TFloat32.class;
      case FLOAT16 -> TFloat16.class;
      case INT8, PRODUCT -> TUint8.class;
    };
  }

  /** Columns of the codes' tensor. */
  public static int codeWidth(KeyEncoding encoding, int width, int numSubvectors) {
    return encoding == KeyEncoding.PRODUCT ? numSubvectors : width;
  }

  /** Codes (K, W) to keys (K, D); where {@link KeyEncoding#isResidual}, to k - centroid. */
  public Operand<TFloat32> decode(Ops tf, Operand<? extends TNumber> codesKW) {
    return switch (encoding) {
      case FLOAT32, FLOAT16 -> tf.dtypes.cast(codesKW, TFloat32.class);
      case INT8 ->
          tf.math.add(
              tf.math.mul(tf.dtypes.cast(codesKW, TFloat32.class), Objects.requireNonNull(scalesD)),
              Objects.requireNonNull(offsetsD));
      case PRODUCT -> {
        int[] firsts = new int[numSubvectors];
        for (int m = 0; m < numSubvectors; m++) {
          firsts[m] = m * CODEWORDS;
        }
        Operand<TInt32> rowsKM =
            tf.math.add(tf.dtypes.cast(codesKW, TInt32.class), tf.constant(firsts));
        yield tf.reshape(
            tf.gather(Objects.requireNonNull(codewords), rowsKM, tf.constant(0)),
            tf.constant(Shape.of(-1, width)));
      }
    };
  }
}
