package org.lathe.cli.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SIGTERM is answered with a checkpoint; one process at a time works on a run. */
@Tag("process")
class StoppedTrainingTest {
  private static final int STEPS = 100_000;
  private static final int MAX_STOP_S = 10;

  @TempDir Path directory;

  @Test
  void stopsPolitelyKeepsOthersOutAndResumes() throws Exception {
    TrainingProcess training = new TrainingProcess(directory, STEPS, 5);
    Path run = training.run("stopped");
    Process process = training.start(run);
    try {
      TrainingProcess.awaitNewer(process, run, 1);

      // this JVM is the second process
      InProcess second = InProcess.run(training.arguments(run));
      assertThat(second.exitCode()).isEqualTo(1);
      assertThat(second.err().get(second.err().size() - 1))
          .startsWith("lathe: " + run + " is in use by process " + process.pid() + " ")
          .contains("another run directory");
      assertThat(process.isAlive()).isTrue();

      long begin = System.nanoTime();
      process.destroy();
      assertThat(process.waitFor(MAX_STOP_S, TimeUnit.SECONDS)).isTrue();
      System.out.printf("SIGTERM: ended after %d ms%n", (System.nanoTime() - begin) / 1_000_000);
      String said = Files.readString(TrainingProcess.log(run));
      assertThat(process.exitValue()).as(said).isEqualTo(130);
      long step = TrainingProcess.newestStep(run);
      assertThat(said).contains("stopped at step " + step + " with a checkpoint");
      assertThat(run.resolve(".lock")).doesNotExist();

      process = training.start(run);
      TrainingProcess.awaitNewer(process, run, step);
      assertThat(Files.readString(TrainingProcess.log(run)))
          .contains("resuming " + run + " at step " + step);
      assertThat(TrainingProcess.newestStep(run)).isGreaterThan(step);
    } finally {
      process.destroyForcibly().waitFor();
    }
  }
}
