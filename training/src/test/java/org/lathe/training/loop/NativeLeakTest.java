package org.lathe.training.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.training.batching.Batch;
import org.lathe.training.optimization.OptimizerConfig;

/**
 * Native memory does not grow with steps or with trainers. Measured in a JVM of its own whose heap
 * is all resident from the start, so that only native memory moves. Linux only: asks /proc.
 */
class NativeLeakTest {
  private static final Path STATUS = Path.of("/proc/self/status");

  /** Measured: 0.5 MiB. A leak of 55 KiB a step is caught. */
  private static final long MAX_STEP_GROWTH_KIB = 16 << 10;

  /** Measured: 0.5 MiB. */
  private static final long MAX_TRAINER_GROWTH_KIB = 20 << 10;

  @Test
  void residentMemoryStays() throws Exception {
    assumeTrue(Files.isReadable(STATUS));
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xms96m",
                "-Xmx96m",
                "-XX:+AlwaysPreTouch",
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                "-Dorg.bytedeco.javacpp.maxBytes=0",
                "-cp",
                System.getProperty("java.class.path"),
                Measurement.class.getName())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    List<String> said;
    try (java.io.InputStream out = process.getInputStream()) {
      said = new String(out.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    } finally {
      process.destroyForcibly();
    }
    assertThat(said).hasSize(2);
    long steps = Long.parseLong(said.get(0));
    long trainers = Long.parseLong(said.get(1));
    System.out.printf(
        "resident memory grew by %d KiB in 300 steps, by %d KiB in 30 trainers%n", steps, trainers);
    assertThat(steps).as("KiB in 300 steps").isLessThan(MAX_STEP_GROWTH_KIB);
    assertThat(trainers).as("KiB in 30 trainers").isLessThan(MAX_TRAINER_GROWTH_KIB);
  }

  /** Prints the growth in KiB over 300 steps, then over 30 trainers that do one step each. */
  static final class Measurement {
    private Measurement() {}

    public static void main(String[] args) throws IOException {
      System.out.println(steps());
      System.out.println(trainers());
    }

    private static long steps() throws IOException {
      TinyTraining training = training();
      try (Trainer<Batch> trainer = training.trainer()) {
        long before = 0;
        for (int i = 0; i < 400; i++) {
          if (i == 100) {
            before = residentKib();
          }
          trainer.advance(training.batches());
        }
        return residentKib() - before;
      }
    }

    private static long trainers() throws IOException {
      TinyTraining training = training();
      long before = 0;
      for (int i = 0; i < 35; i++) {
        if (i == 5) {
          before = residentKib();
        }
        try (Trainer<Batch> trainer = training.trainer()) {
          trainer.advance(training.batches());
        }
      }
      return residentKib() - before;
    }

    private static TinyTraining training() {
      return TinyTraining.of(
          MemoryConfig.of(MemoryObjective.LOCAL, 16), OptimizerConfig.adamW(0.01), 1000, 2, 1);
    }

    private static long residentKib() throws IOException {
      System.gc();
      return Files.readAllLines(STATUS).stream()
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
          .findFirst()
          .orElseThrow();
    }
  }
}
