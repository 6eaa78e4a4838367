package org.lathe.export.savedmodel;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.lathe.graphs.weights.Weights;
import org.tensorflow.Graph;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat16;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TUint8;

/**
 * The weights of a model in the form in which it is served: matrices of at least {@link #MIN_SIDE}
 * rows and columns packed, everything else (biases, norms, classifiers, token types) as it is.
 */
final class PackedWeights implements AutoCloseable {
  /** What is smaller saves nothing worth an operation in every call. */
  private static final int MIN_SIDE = 8;

  /** Behind a matrix's name: its factors, where it has any. */
  static final String FACTORS = "/factors";

  private static final float LARGEST_HALF = 65_504;

  private final Weights plain = new Weights();
  private final Weights rounded = new Weights();
  private final Map<String, Tensor> tensors = new LinkedHashMap<>();

  PackedWeights(Weights weights, WeightPrecision precision) {
    for (String name : weights.names()) {
      Weights.Array array = weights.get(name);
      float[] unpacked = isPacked(array, precision) ? pack(name, array, precision) : null;
      if (unpacked == null) {
        plain.put(name, array.shape(), array.values());
      }
      rounded.put(name, array.shape(), unpacked == null ? array.values() : unpacked);
    }
  }

  /** Those that are stored as they are. */
  Weights plain() {
    return plain;
  }

  /** All of them, with the values that the served graph computes with. */
  Weights rounded() {
    return rounded;
  }

  /** The packed ones and their factors, by name; closed with this. */
  Map<String, Tensor> tensors() {
    return tensors;
  }

  /** Names of the packed ones, without factors. */
  List<String> packedNames() {
    return rounded.names().stream().filter(tensors::containsKey).toList();
  }

  /** Of all of them as they are stored, factors included. */
  long numBytes() {
    return plain.numValues() * Float.BYTES
        + tensors.values().stream().mapToLong(Tensor::numBytes).sum();
  }

  private static boolean isPacked(Weights.Array array, WeightPrecision precision) {
    boolean isLargeMatrix =
        array.shape().numDimensions() == 2
            && array.shape().get(0) >= MIN_SIDE
            && array.shape().get(1) >= MIN_SIDE;
    return switch (precision) {
      case FLOAT32 -> false;
      case FLOAT16 -> isLargeMatrix && fitsHalf(array.values());
      case INT8 -> isLargeMatrix;
    };
  }

  private static boolean fitsHalf(float[] values) {
    for (float value : values) {
      if (Math.abs(value) > LARGEST_HALF) {
        return false;
      }
    }
    return true;
  }

  private float[] pack(String name, Weights.Array array, WeightPrecision precision) {
    return precision == WeightPrecision.INT8 ? packBytes(name, array) : packHalf(name, array);
  }

  private float[] packBytes(String name, Weights.Array array) {
    PackedMatrix packed = PackedMatrix.of(array);
    tensors.put(name, TUint8.tensorOf(array.shape(), DataBuffers.of(packed.values(), true, false)));
    Shape shape = packed.byRow() ? Shape.of(packed.numRows(), 1) : Shape.of(1, packed.numColumns());
    tensors.put(
        name + FACTORS, TFloat32.tensorOf(shape, DataBuffers.of(packed.factors(), true, false)));
    return packed.unpacked();
  }

  /** TensorFlow rounds, so that no rule of rounding is written twice. */
  private float[] packHalf(String name, Weights.Array array) {
    try (Graph graph = new Graph();
        Session session = new Session(graph);
        TFloat32 value =
            TFloat32.tensorOf(array.shape(), DataBuffers.of(array.values(), true, false))) {
      Ops tf = Ops.create(graph);
      Placeholder<TFloat32> input =
          tf.placeholder(TFloat32.class, Placeholder.shape(array.shape()));
      var half = tf.dtypes.cast(input, TFloat16.class);
      var back = tf.dtypes.cast(half, TFloat32.class);
      // fetched one by one: a result closes all that is in it, and the first one is kept
      try (Result result = session.runner().feed(input, value).fetch(back).run()) {
        float[] unpacked = new float[array.values().length];
        ((TFloat32) result.get(0)).asRawTensor().data().asFloats().read(unpacked);
        tensors.put(name, session.runner().feed(input, value).fetch(half).run().get(0));
        return unpacked;
      }
    }
  }

  @Override
  public void close() {
    tensors.values().forEach(Tensor::close);
  }
}
