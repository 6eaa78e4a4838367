package org.lathe.training.weights;

import com.google.common.collect.ImmutableMap;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.lathe.graphs.weights.Weights;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.op.train.Restore;
import org.tensorflow.op.train.Save;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TString;
import org.tensorflow.types.family.TType;

/**
 * TensorFlow's own tensor files ({@code prefix.index}, {@code prefix.data-00000-of-00001}),
 * readable by any TensorFlow. Neither synced nor atomic: write them into a staging directory.
 */
public final class TensorBundle {
  private TensorBundle() {}

  /** Writes all arrays under their names. */
  public static void write(Path prefix, Weights weights) {
    write(prefix, weights, ImmutableMap.of());
  }

  /**
   * The same with tensors of any type.
   *
   * @param others by name; stay open
   */
  public static void write(Path prefix, Weights weights, Map<String, Tensor> others) {
    List<Tensor> tensors = new ArrayList<>();
    try (Graph graph = new Graph();
        Session session = new Session(graph)) {
      Ops tf = Ops.create(graph);
      Session.Runner runner = session.runner();
      List<Operand<?>> values = new ArrayList<>();
      for (String name : weights.names()) {
        Weights.Array array = weights.get(name);
        Placeholder<TFloat32> placeholder =
            tf.placeholder(TFloat32.class, Placeholder.shape(array.shape()));
        Tensor tensor =
            TFloat32.tensorOf(array.shape(), DataBuffers.of(array.values(), true, false));
        tensors.add(tensor);
        values.add(placeholder);
        runner.feed(placeholder, tensor);
      }
      others.forEach(
          (name, tensor) -> {
            Placeholder<? extends TType> placeholder =
                tf.placeholder(((TType) tensor).type(), Placeholder.shape(tensor.shape()));
            values.add(placeholder);
            runner.feed(placeholder, tensor);
          });
      String[] names =
          Stream.concat(weights.names().stream(), others.keySet().stream()).toArray(String[]::new);
      String[] slices = Collections.nCopies(names.length, "").toArray(new String[0]);
      Save save =
          tf.train.save(
              tf.constant(prefix.toString()), vector(tf, names), vector(tf, slices), values);
      runner.addTarget(save.op()).run().close();
    } finally {
      tensors.forEach(Tensor::close);
    }
  }

  /** Reads these arrays; TensorFlow's exception names what is missing. */
  public static Weights read(Path prefix, List<String> names) {
    Weights weights = new Weights();
    if (names.isEmpty()) {
      return weights;
    }
    try (Graph graph = new Graph();
        Session session = new Session(graph)) {
      Ops tf = Ops.create(graph);
      List<Class<? extends TType>> types = Collections.nCopies(names.size(), TFloat32.class);
      Restore restore =
          tf.train.restore(
              tf.constant(prefix.toString()),
              vector(tf, names.toArray(new String[0])),
              vector(tf, Collections.nCopies(names.size(), "").toArray(new String[0])),
              types);
      Session.Runner runner = session.runner();
      for (int i = 0; i < names.size(); i++) {
        runner.fetch(restore.op().output(i));
      }
      try (Result result = runner.run()) {
        for (int i = 0; i < names.size(); i++) {
          TFloat32 tensor = (TFloat32) result.get(i);
          Shape shape = tensor.shape();
          float[] values = new float[Math.toIntExact(shape.size())];
          tensor.asRawTensor().data().asFloats().read(values);
          weights.put(names.get(i), shape, values);
        }
      }
    }
    return weights;
  }

  private static Operand<TString> vector(Ops tf, String[] strings) {
    try (TString tensor = TString.vectorOf(strings)) {
      return tf.constantOf(tensor);
    }
  }
}
