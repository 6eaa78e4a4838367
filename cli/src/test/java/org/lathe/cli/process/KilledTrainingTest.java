package org.lathe.cli.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.files.LocalStorage;

/**
 * SIGKILL at any moment: the same command resumes, and in the end the run is the one that nobody
 * killed. {@code -Dlathe.kills=200} kills more often, {@code -Dseed=N} at other moments.
 */
@Tag("process")
class KilledTrainingTest {
  private static final int STEPS = 400;
  private static final int CHECKPOINT_EVERY = 5;
  private static final int NUM_KILLS = Integer.getInteger("lathe.kills", 20);
  private static final long SEED = Long.getLong("seed", 1);
  private static final int MIN_DELAY_MS = 1_500;
  private static final int MAX_DELAY_MS = 4_000;

  /** Half of the kills wait for progress first, so that many meet a save on a slow machine too. */
  private static final int MAX_DELAY_AFTER_SAVE_MS = 500;

  private static final int TIMEOUT_S = 120;

  @TempDir Path directory;

  @Test
  void resumesAfterEveryKillAndEndsAsIfNothingHadHappened() throws Exception {
    TrainingProcess training = new TrainingProcess(directory, STEPS, CHECKPOINT_EVERY);
    List<Path> runs = new ArrayList<>();
    Path run = training.run("killed-1");
    runs.add(run);
    Random random = new Random(SEED);
    int kills = 0;
    int insideSave = 0;
    while (kills < NUM_KILLS) {
      long stepBefore = TrainingProcess.newestStep(run);
      Process process = training.start(run);
      long delayMs;
      if (random.nextBoolean()) {
        delayMs = MIN_DELAY_MS + random.nextInt(MAX_DELAY_MS - MIN_DELAY_MS);
      } else {
        TrainingProcess.awaitNewer(process, run, stepBefore);
        delayMs = random.nextInt(MAX_DELAY_AFTER_SAVE_MS);
      }
      boolean ended = process.waitFor(delayMs, TimeUnit.MILLISECONDS);
      if (!ended) {
        process.destroyForcibly().waitFor();
        kills++;
        boolean saving =
            TrainingProcess.checkpoints(run).stream().anyMatch(name -> name.startsWith(".staging"));
        insideSave += saving ? 1 : 0;
        System.out.printf(
            "kill %d (seed %d) of %s after %d ms: step %d -> %d%s%n",
            kills,
            SEED,
            run.getFileName(),
            delayMs,
            stepBefore,
            TrainingProcess.newestStep(run),
            saving ? ", inside a save" : "");
        assertThat(TrainingProcess.newestStep(run)).isGreaterThanOrEqualTo(stepBefore);
      } else {
        assertThat(process.exitValue()).as(said(run)).isZero();
        run = training.run("killed-" + (runs.size() + 1));
        runs.add(run);
      }
    }
    finish(training, run);
    System.out.printf(
        "%d kills, %d inside a save, %d runs of %d steps%n", kills, insideSave, runs.size(), STEPS);

    Path straight = training.run("straight");
    finish(training, straight);
    for (Path killed : runs) {
      assertSameWeights(killed, straight);
      assertThat(metrics(killed)).as("metrics of %s", killed).isEqualTo(metrics(straight));
      assertThat(TrainingProcess.checkpoints(killed))
          .containsExactly("step-" + (STEPS - CHECKPOINT_EVERY), "step-" + STEPS);
      assertThat(said(killed)).doesNotContain("defect").doesNotContain("damaged checkpoint");
    }
    assertThat(metrics(straight)).containsKeys("10 train loss", STEPS + " train loss");
  }

  private static void finish(TrainingProcess training, Path run) throws Exception {
    Process process = training.start(run);
    assertThat(process.waitFor(TIMEOUT_S, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(said(run)).isZero();
  }

  private static String said(Path run) throws IOException {
    return Files.readString(TrainingProcess.log(run));
  }

  private static void assertSameWeights(Path run, Path expectedRun) {
    Weights found = weights(run);
    Weights expected = weights(expectedRun);
    assertThat(found.names()).isEqualTo(expected.names());
    for (String name : expected.names()) {
      assertThat(Arrays.equals(found.get(name).values(), expected.get(name).values()))
          .as("%s of %s has the same bits", name, run)
          .isTrue();
    }
  }

  private static Weights weights(Path run) {
    CheckpointStore store = new CheckpointStore(LocalStorage.INSTANCE, run, 2);
    CheckpointStore.Checkpoint latest = store.latest().orElseThrow();
    assertThat(latest.step()).isEqualTo(STEPS);
    return store.read(latest);
  }

  /** Everything but speeds and times: "10 train loss" to the digits in the file. */
  private static Map<String, String> metrics(Path run) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    Map<String, String> metrics = new TreeMap<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      JsonNode node = mapper.readTree(line);
      String name = node.path("name").asText();
      if (!name.equals("tokensPerSecond")) {
        String key = node.path("step").asText() + " " + node.path("split").asText() + " " + name;
        assertThat(metrics.put(key, node.path("value").asText()))
            .as("second line of " + key)
            .isNull();
      }
    }
    return metrics;
  }
}
