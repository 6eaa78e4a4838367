package org.lathe.testdata;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Output;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TFloat64;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;

/** A graph, its ops and a session for one test; use it in try-with-resources. */
public final class TestSession implements AutoCloseable {
  private final Graph graph = new Graph();
  private final Session session = new Session(graph);
  private final Ops tf = Ops.create(graph);

  public Ops tf() {
    return tf;
  }

  public Graph graph() {
    return graph;
  }

  public Session session() {
    return session;
  }

  /** Runs ops for their effect, such as assigning first values. */
  public void run(Collection<? extends Op> targets) {
    Session.Runner runner = session.runner();
    targets.forEach(runner::addTarget);
    try (Result result = runner.run()) {
      if (result.size() != 0) {
        throw new IllegalStateException("targets give no values");
      }
    }
  }

  /** The operand's values, row-major, whatever its type; true is 1. */
  public double[] evaluate(Operand<?> fetch, Feeds feeds) {
    return evaluateAll(List.of(fetch), feeds).get(0);
  }

  /** As {@link #evaluate} without feeds. */
  public double[] evaluate(Operand<?> fetch) {
    return evaluate(fetch, Feeds.none());
  }

  /** The operand's float32 values, row-major. */
  public float[] floats(Operand<TFloat32> fetch, Feeds feeds) {
    return toFloats(evaluate(fetch, feeds));
  }

  /** All values of one run, in the order of the fetches. */
  public List<double[]> evaluateAll(List<? extends Operand<?>> fetches, Feeds feeds) {
    Session.Runner runner = session.runner();
    Map<Output<?>, Tensor> tensors = feeds.tensors();
    try {
      tensors.forEach(runner::feed);
      fetches.forEach(runner::fetch);
      try (Result result = runner.run()) {
        List<double[]> values = new ArrayList<>();
        for (int i = 0; i < fetches.size(); i++) {
          values.add(read(result.get(i)));
        }
        return values;
      }
    } finally {
      tensors.values().forEach(Tensor::close);
    }
  }

  @Override
  public void close() {
    session.close();
    graph.close();
  }

  /** Nearest floats. */
  public static float[] toFloats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }

  private static double[] read(Tensor tensor) {
    int size = Math.toIntExact(tensor.shape().size());
    double[] values = new double[size];
    if (tensor instanceof TFloat64) {
      tensor.asRawTensor().data().asDoubles().read(values);
    } else if (tensor instanceof TFloat32) {
      float[] floats = new float[size];
      tensor.asRawTensor().data().asFloats().read(floats);
      for (int i = 0; i < size; i++) {
        values[i] = floats[i];
      }
    } else if (tensor instanceof TInt32) {
      int[] ints = new int[size];
      tensor.asRawTensor().data().asInts().read(ints);
      for (int i = 0; i < size; i++) {
        values[i] = ints[i];
      }
    } else if (tensor instanceof TInt64) {
      long[] longs = new long[size];
      tensor.asRawTensor().data().asLongs().read(longs);
      for (int i = 0; i < size; i++) {
        values[i] = longs[i];
      }
    } else if (tensor instanceof TBool) {
      boolean[] flags = new boolean[size];
      tensor.asRawTensor().data().asBooleans().read(flags);
      for (int i = 0; i < size; i++) {
        values[i] = flags[i] ? 1 : 0;
      }
    } else {
      throw new IllegalArgumentException("cannot read a tensor of type " + tensor.dataType());
    }
    return values;
  }
}
