package org.lathe.training.loop;

import java.util.ArrayList;
import java.util.List;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.op.Op;
import org.tensorflow.types.TFloat32;

/** One call of a session: owns what it is fed, and gives what it fetched as arrays. */
public final class SessionCall implements BatchInput.Feeder, AutoCloseable {
  private final Session.Runner runner;
  private final List<Tensor> fed = new ArrayList<>();

  public SessionCall(Session session) {
    runner = session.runner();
  }

  /** The tensor is closed with this call. */
  @Override
  public void feed(Operand<?> placeholder, Tensor tensor) {
    fed.add(tensor);
    runner.feed(placeholder, tensor);
  }

  /** Also runs these. */
  public void target(List<Op> ops) {
    ops.forEach(op -> runner.addTarget(op.op()));
  }

  /** Runs, and gives the values of each, row-major. */
  public List<float[]> fetch(Iterable<? extends Operand<TFloat32>> fetches) {
    List<float[]> values = new ArrayList<>();
    fetches.forEach(runner::fetch);
    try (Result result = runner.run()) {
      for (int i = 0; i < result.size(); i++) {
        TFloat32 tensor = (TFloat32) result.get(i);
        float[] array = new float[Math.toIntExact(tensor.size())];
        tensor.asRawTensor().data().asFloats().read(array);
        values.add(array);
      }
    }
    return values;
  }

  @Override
  public void close() {
    fed.forEach(Tensor::close);
  }
}
