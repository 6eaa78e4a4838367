package org.lathe.training.datastore;

import com.google.common.base.Preconditions;
import com.google.common.primitives.Ints;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.retrieval.IvfGraph;
import org.lathe.graphs.retrieval.KeyDecoder;
import org.lathe.graphs.retrieval.KeyEncoding;
import org.lathe.training.datastore.NeighborSearch.Metric;
import org.tensorflow.Operand;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.ByteDataBuffer;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.family.TType;

/** An {@link IvfIndex} as tensors and operands. */
public final class IvfTensors {
  private static final String CENTROIDS = "centroids";
  private static final String BEGINS = "begins";
  private static final String ITEMS = "items";
  private static final String CODES = "codes";
  private static final String BIASES = "biases";
  private static final String SCALES = "scales";
  private static final String OFFSETS = "offsets";
  private static final String CODEWORDS = "codewords";

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
    Map<String, Tensor> tensors = decoderTensors(code);
    try {
      return decoder(code, constants(tf, tensors));
    } finally {
      tensors.values().forEach(Tensor::close);
    }
  }

  private static KeyDecoder decoder(KeyCode code, Map<String, Operand<? extends TType>> operands) {
    return new KeyDecoder(
        code.encoding(),
        code.width(),
        floats(operands, SCALES),
        floats(operands, OFFSETS),
        floats(operands, CODEWORDS),
        code.numSubvectors());
  }

  /**
   * The whole index as constants of a graph, see {@link #graph(IvfIndex, Map)}: for a graph that is
   * not saved, whose file must stay below 2 GiB.
   */
  public static IvfGraph graph(Ops tf, IvfIndex index) {
    Map<String, Tensor> tensors = tensors(index);
    try {
      return graph(index, constants(tf, tensors));
    } finally {
      tensors.values().forEach(Tensor::close);
    }
  }

  /**
   * A search in an index whose tensors are in the graph already, as constants or as variables.
   *
   * @param operands of the same names, types and shapes as {@link #tensors}
   */
  public static IvfGraph graph(IvfIndex index, Map<String, Operand<? extends TType>> operands) {
    return new IvfGraph(
        decoder(index.code(), operands),
        operand(operands, CENTROIDS, TFloat32.class),
        operand(operands, BEGINS, TInt32.class),
        operand(operands, ITEMS, TInt32.class),
        operand(operands, CODES, KeyDecoder.codeType(index.code().encoding())),
        floats(operands, BIASES));
  }

  /**
   * Everything that a search in the index reads, by name and in a fixed order; to be closed by the
   * caller. With N keys in L lists: centroids (L, D), begins (L + 1), items (N), codes (N, W),
   * where the metric is a distance biases (N), and what the encoding needs besides. Codes are
   * copied list by list, so that beside the index only this copy is in memory.
   */
  public static Map<String, Tensor> tensors(IvfIndex index) {
    int[] begins = new int[index.numLists() + 1];
    for (int list = 0; list < index.numLists(); list++) {
      begins[list + 1] = begins[list] + index.items()[list].length;
    }
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put(CENTROIDS, floats(index.centroids(), Shape.of(index.numLists(), index.width())));
    tensors.put(BEGINS, ints(begins));
    tensors.put(ITEMS, ints(Ints.concat(index.items())));
    tensors.put(CODES, allCodes(index, begins));
    if (index.metric() == Metric.SQUARED_L2) {
      float[] biases = new float[index.numKeys()];
      for (int list = 0; list < index.numLists(); list++) {
        System.arraycopy(index.bias(list), 0, biases, begins[list], index.items()[list].length);
      }
      tensors.put(BIASES, floats(biases, Shape.of(biases.length)));
    }
    tensors.putAll(decoderTensors(index.code()));
    return tensors;
  }

  private static Tensor allCodes(IvfIndex index, int[] begins) {
    KeyCode code = index.code();
    int columns = KeyDecoder.codeWidth(code.encoding(), code.width(), code.numSubvectors());
    return Tensor.of(
        KeyDecoder.codeType(code.encoding()),
        Shape.of(index.numKeys(), columns),
        tensor -> {
          ByteDataBuffer data = tensor.asRawTensor().data();
          for (int list = 0; list < index.numLists(); list++) {
            if (index.codes()[list].length > 0) {
              data.offset((long) begins[list] * code.numBytes()).write(index.codes()[list]);
            }
          }
        });
  }

  private static Map<String, Tensor> decoderTensors(KeyCode code) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    if (code.encoding() == KeyEncoding.INT8) {
      tensors.put(SCALES, floats(code.scales(), Shape.of(code.width())));
      tensors.put(OFFSETS, floats(code.offsets(), Shape.of(code.width())));
    }
    if (code.encoding() == KeyEncoding.PRODUCT) {
      long rows = (long) KeyDecoder.CODEWORDS * code.numSubvectors();
      tensors.put(CODEWORDS, floats(code.codewords(), Shape.of(rows, code.subWidth())));
    }
    return tensors;
  }

  private static Map<String, Operand<? extends TType>> constants(
      Ops tf, Map<String, Tensor> tensors) {
    Map<String, Operand<? extends TType>> constants = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> constants.put(name, tf.constantOf((TType) tensor)));
    return constants;
  }

  private static @Nullable Operand<TFloat32> floats(
      Map<String, Operand<? extends TType>> operands, String name) {
    return operands.containsKey(name) ? operand(operands, name, TFloat32.class) : null;
  }

  private static <T extends TType> Operand<T> operand(
      Map<String, Operand<? extends TType>> operands, String name, Class<T> type) {
    Operand<? extends TType> operand = operands.get(name);
    Preconditions.checkArgument(operand != null, "the index needs '%s'", name);
    return Objects.requireNonNull(operand).asOutput().expect(type);
  }

  private static Tensor floats(float[] values, Shape shape) {
    return TFloat32.tensorOf(shape, DataBuffers.of(values, true, false));
  }

  private static Tensor ints(int[] values) {
    return TInt32.tensorOf(Shape.of(values.length), DataBuffers.of(values, true, false));
  }
}
