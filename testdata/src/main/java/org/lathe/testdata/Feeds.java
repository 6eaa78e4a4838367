package org.lathe.testdata;

import java.util.LinkedHashMap;
import java.util.Map;
import org.tensorflow.Operand;
import org.tensorflow.Output;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TFloat64;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;
import org.tensorflow.types.family.TType;

/**
 * Values for the operands of one run, kept as doubles and turned into the operand's type when fed.
 * Any operand can be fed, a variable's read included.
 */
public final class Feeds {
  private record Entry(Shape shape, double[] values) {}

  private final Map<Output<?>, Entry> entries = new LinkedHashMap<>();

  public static Feeds none() {
    return new Feeds();
  }

  /** Row-major values of this shape; later puts replace earlier ones. */
  public Feeds put(Operand<?> operand, Shape shape, double... values) {
    if (shape.size() != values.length) {
      throw new IllegalArgumentException(values.length + " values given for shape " + shape);
    }
    entries.put(operand.asOutput(), new Entry(shape, values.clone()));
    return this;
  }

  /** Integers, such as token ids. */
  public Feeds put(Operand<?> operand, Shape shape, int[] values) {
    double[] copy = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      copy[i] = values[i];
    }
    return put(operand, shape, copy);
  }

  /** Float values. */
  public Feeds put(Operand<?> operand, Shape shape, float[] values) {
    double[] copy = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      copy[i] = values[i];
    }
    return put(operand, shape, copy);
  }

  /** A scalar. */
  public Feeds scalar(Operand<?> operand, double value) {
    return put(operand, Shape.scalar(), value);
  }

  /** These feeds and, over them, the others. */
  public Feeds with(Feeds others) {
    Feeds both = new Feeds();
    both.entries.putAll(entries);
    both.entries.putAll(others.entries);
    return both;
  }

  /** New tensors, which the caller closes. */
  Map<Output<?>, Tensor> tensors() {
    Map<Output<?>, Tensor> tensors = new LinkedHashMap<>();
    entries.forEach((output, entry) -> tensors.put(output, tensor(output.type(), entry)));
    return tensors;
  }

  private static Tensor tensor(Class<? extends TType> type, Entry entry) {
    double[] values = entry.values();
    if (type == TFloat64.class) {
      return TFloat64.tensorOf(entry.shape(), DataBuffers.of(values, true, false));
    }
    if (type == TFloat32.class) {
      float[] floats = new float[values.length];
      for (int i = 0; i < values.length; i++) {
        floats[i] = (float) values[i];
      }
      return TFloat32.tensorOf(entry.shape(), DataBuffers.of(floats, true, false));
    }
    if (type == TInt32.class) {
      int[] ints = new int[values.length];
      for (int i = 0; i < values.length; i++) {
        ints[i] = (int) values[i];
      }
      return TInt32.tensorOf(entry.shape(), DataBuffers.of(ints, true, false));
    }
    if (type == TInt64.class) {
      long[] longs = new long[values.length];
      for (int i = 0; i < values.length; i++) {
        longs[i] = (long) values[i];
      }
      return TInt64.tensorOf(entry.shape(), DataBuffers.of(longs, true, false));
    }
    throw new IllegalArgumentException("feeds know no " + type.getSimpleName());
  }
}
