package org.lathe.training.datastore;

import java.util.Arrays;
import org.lathe.graphs.retrieval.IvfGraph;
import org.lathe.training.loop.Sessions;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/** Finds the centroid with the least |x - c|^2 for many points, by matrix products. */
final class CentroidAssigner implements AutoCloseable {
  /** With 1,000 centroids a block of scores takes 16 MiB. */
  private static final int POINTS_PER_RUN = 4096;

  private final Graph graph = new Graph();
  private final Session session;
  private final Placeholder<TFloat32> pointsND;
  private final Placeholder<TFloat32> centroidsLD;
  private final Operand<TInt32> nearestN;
  private final int width;

  /**
   * @param threads 0 = all cores
   */
  CentroidAssigner(int width, int threads) {
    this.width = width;
    Ops tf = Ops.create(graph);
    pointsND = tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(-1, width)));
    centroidsLD = tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(-1, width)));
    nearestN =
        tf.math.argMax(
            IvfGraph.centroidScores(tf, pointsND, centroidsLD, true), tf.constant(1), TInt32.class);
    session = Sessions.open(graph, threads);
  }

  /**
   * Of equally near centroids the first.
   *
   * @param points row-major (N, D)
   * @param centroids row-major (L, D)
   */
  int[] assign(float[] points, float[] centroids) {
    int numPoints = points.length / width;
    int[] nearest = new int[numPoints];
    try (Tensor fedCentroids = tensor(centroids)) {
      for (int begin = 0; begin < numPoints; begin += POINTS_PER_RUN) {
        int size = Math.min(POINTS_PER_RUN, numPoints - begin);
        float[] some = Arrays.copyOfRange(points, begin * width, (begin + size) * width);
        try (Tensor fed = tensor(some);
            Result result =
                session
                    .runner()
                    .feed(pointsND, fed)
                    .feed(centroidsLD, fedCentroids)
                    .fetch(nearestN)
                    .run()) {
          ((TInt32) result.get(0)).asRawTensor().data().asInts().read(nearest, begin, size);
        }
      }
    }
    return nearest;
  }

  private Tensor tensor(float[] rows) {
    return TFloat32.tensorOf(
        Shape.of(rows.length / width, width), DataBuffers.of(rows, true, false));
  }

  @Override
  public void close() {
    session.close();
    graph.close();
  }
}
