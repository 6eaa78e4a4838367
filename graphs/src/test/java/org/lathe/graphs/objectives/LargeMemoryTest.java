package org.lathe.graphs.objectives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.lathe.testdata.TensorAssert.assertThatTensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.testdata.Feeds;
import org.lathe.testdata.RandomArrays;
import org.lathe.testdata.TestSession;
import org.tensorflow.Output;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/** The largest memory of the paper's 38M model, 24 segments of 512, in bounded room. */
class LargeMemoryTest {
  private static final int NUM_SEGMENTS = 24;
  private static final int LENGTH = 512;
  private static final int WIDTH = 16;

  /** The plain path holds about six matrices of 604 MB here. */
  private static final long MOST_KILOBYTES = 1_500_000;

  @Test
  void twelveThousandItemsFitIntoBoundedMemory() throws IOException {
    int n = NUM_SEGMENTS * LENGTH;
    Random random = new Random(8);
    try (TestSession session = new TestSession()) {
      var tf = session.tf();
      var mass = tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(n)));
      var target = tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(n)));
      var tap = tf.placeholder(TFloat32.class, Placeholder.shape(Shape.of(n, WIDTH)));
      var targets = tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(n)));
      var loss =
          MemoryObjective.meanLoss(
              tf,
              MemoryConfig.of(MemoryConfig.MemoryObjective.CONSECUTIVE, WIDTH),
              new MemoryObjective.Batch<>(
                  mass,
                  target,
                  tap,
                  targets,
                  tf.constant(0f),
                  tf.constant(0f),
                  NUM_SEGMENTS,
                  LENGTH,
                  WIDTH));
      Output<?> gradient =
          session.graph().addGradients(loss.asOutput(), new Output<?>[] {tap.asOutput()})[0];
      double[] ones = new double[n];
      double[] logits = new double[n];
      for (int i = 0; i < n; i++) {
        ones[i] = Math.log(1000);
        logits[i] = 0;
      }
      Feeds feeds =
          Feeds.none()
              .put(mass, Shape.of(n), ones)
              .put(target, Shape.of(n), logits)
              .put(tap, Shape.of(n, WIDTH), RandomArrays.normal(random, n * WIDTH, 1))
              .put(targets, Shape.of(n), RandomArrays.ints(random, n, 1000));
      long before = residentKilobytes("VmRSS");
      List<double[]> found = session.evaluateAll(List.of(loss.asOutput(), gradient), feeds);
      long peak = residentKilobytes("VmHWM");
      assertThatTensor(found.get(0)).isFinite();
      assertThat(found.get(0)[0]).isBetween(1.0, 20.0);
      assertThatTensor(found.get(1)).isFinite();
      assertThat(peak - before).as("kB above the start of the run").isLessThan(MOST_KILOBYTES);
    }
  }

  /** 0 where the system does not tell. */
  private static long residentKilobytes(String field) throws IOException {
    Path status = Path.of("/proc/self/status");
    if (!Files.exists(status)) {
      return 0;
    }
    return Files.readAllLines(status).stream()
        .filter(line -> line.startsWith(field + ":"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
        .findFirst()
        .orElse(0);
  }
}
