package org.lathe.training.loop;

import org.tensorflow.Graph;
import org.tensorflow.Session;
import org.tensorflow.proto.ConfigProto;

/** Sessions with a fixed number of threads. */
public final class Sessions {
  private Sessions() {}

  /**
   * @param threads for each op; 0 = all cores
   */
  public static Session open(Graph graph, int threads) {
    return new Session(
        graph,
        ConfigProto.newBuilder()
            .setIntraOpParallelismThreads(threads)
            // one op at a time: ops are parallel inside, and the order of sums stays fixed
            .setInterOpParallelismThreads(1)
            .setAllowSoftPlacement(true)
            .build());
  }

  /**
   * For several Java threads that run small graphs at once: ops run one after another in the thread
   * that calls, which saves handing them over.
   *
   * @param threads that one op may use; 0 = all cores
   */
  public static Session openForCallers(Graph graph, int threads) {
    return new Session(
        graph,
        ConfigProto.newBuilder()
            .setIntraOpParallelismThreads(threads)
            // negative: TensorFlow takes the caller's thread
            .setInterOpParallelismThreads(-1)
            .setAllowSoftPlacement(true)
            .build());
  }
}
