package org.lathe.training.datastore;

import com.google.common.primitives.Ints;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.retrieval.IvfGraph;
import org.lathe.graphs.retrieval.KeyDecoder;
import org.lathe.graphs.retrieval.KeyEncoding;
import org.lathe.training.datastore.NeighborSearch.Metric;
import org.tensorflow.Operand;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.family.TNumber;

/** An {@link IvfIndex} as tensors and operands. */
public final class IvfTensors {
  private IvfTensors() {}

  /** Codes of one list, (K, W). */
  static Tensor codes(KeyCode code, byte[] codes) {
    Shape shape =
        Shape.of(
            codes.length / code.numBytes(),
            KeyDecoder.codeWidth(code.encoding(), code.width(), code.numSubvectors()));
    return Tensor.of(
        KeyDecoder.codeType(code.encoding()),
        shape,
        tensor -> tensor.asRawTensor().data().write(codes));
  }

  /** With the index's scales, offsets or codewords as constants. */
  static KeyDecoder decoder(Ops tf, KeyCode code) {
    boolean scaled = code.encoding() == KeyEncoding.INT8;
    boolean product = code.encoding() == KeyEncoding.PRODUCT;
    @Nullable Operand<TFloat32> words =
        product
            ? constant(
                tf,
                code.codewords(),
                Shape.of((long) KeyDecoder.CODEWORDS * code.numSubvectors(), code.subWidth()))
            : null;
    return new KeyDecoder(
        code.encoding(),
        code.width(),
        scaled ? tf.constant(code.scales()) : null,
        scaled ? tf.constant(code.offsets()) : null,
        words,
        code.numSubvectors());
  }

  /**
   * The whole index as constants of a graph, at most 2 GiB of codes: for a saved graph that answers
   * few queries at once. Every list must be there, and at least one key.
   */
  public static IvfGraph graph(Ops tf, IvfIndex index) {
    int[] begins = new int[index.numLists() + 1];
    for (int list = 0; list < index.numLists(); list++) {
      begins[list + 1] = begins[list] + index.items()[list].length;
    }
    int numKeys = index.numKeys();
    byte[] allCodes = new byte[Math.multiplyExact(numKeys, index.code().numBytes())];
    float[] bias = new float[numKeys];
    for (int list = 0; list < index.numLists(); list++) {
      byte[] codes = index.codes()[list];
      System.arraycopy(codes, 0, allCodes, begins[list] * index.code().numBytes(), codes.length);
      System.arraycopy(index.bias(list), 0, bias, begins[list], index.items()[list].length);
    }
    Operand<? extends TNumber> codesNW;
    try (Tensor tensor = codes(index.code(), allCodes)) {
      codesNW = tf.constantOf((TNumber) tensor);
    }
    return new IvfGraph(
        decoder(tf, index.code()),
        constant(tf, index.centroids(), Shape.of(index.numLists(), index.width())),
        tf.constant(begins),
        tf.constant(Ints.concat(index.items())),
        codesNW,
        index.metric() == Metric.SQUARED_L2 ? tf.constant(bias) : null);
  }

  private static Operand<TFloat32> constant(Ops tf, float[] values, Shape shape) {
    return tf.constant(shape, DataBuffers.of(Arrays.copyOf(values, values.length), true, false));
  }
}
