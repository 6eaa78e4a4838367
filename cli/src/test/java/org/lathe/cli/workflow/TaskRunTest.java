package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.metrics.Metric;
import org.lathe.training.metrics.TaskMetrics;
import org.tensorflow.ndarray.Shape;

/** Which files a run of a task reads, which model it keeps, and runs that answer with a number. */
class TaskRunTest {
  @TempDir static Path root;
  static TinyPruning tiny;

  @BeforeAll
  static void fineTune() throws IOException {
    tiny = TinyPruning.in(root);
  }

  @Test
  void everySplitHasItsOwnFiles() throws IOException {
    Path few = Files.writeString(root.resolve("few.tsv"), TinyEncoder.table(5, 7));
    Map<String, Integer> sizes = Map.of("train", 40, "valid", 8, "test", 7);
    for (String split : sizes.keySet()) {
      TinyRun.succeed(
          "evaluate",
          tiny.teacher(),
          "--split",
          split,
          "--set",
          "task.test=[" + few + "]",
          "--json");
      assertThat(TinyRun.MAPPER.readTree(TinyRun.out).path("examples").asInt())
          .as(split)
          .isEqualTo(sizes.get(split));
    }
  }

  @Test
  void whatAnEncoderHasNoUseForIsRefused() {
    Map<List<Object>, String> refusals =
        Map.of(
            List.of("--memory", "local"), "which has no --memory",
            List.of("--data", root), "--set task.test=[FILE]",
            List.of("--tune"), "--tune chooses how memory is mixed in",
            List.of("--set", "task.maxLength=1000"), "task.maxLength is 1000; expected at most 16");
    refusals.forEach(
        (options, why) -> {
          List<Object> command = new ArrayList<>(List.of("evaluate", tiny.teacher()));
          command.addAll(options);
          assertThat(TinyRun.execute(command.toArray())).as(why).isEqualTo(2);
          assertThat(TinyRun.err).contains(why);
        });
  }

  /** Both read six tokens of a text, though the encoder has 16 positions. */
  @Test
  void aServedModelReadsAsMuchOfATextAsItsRun() throws IOException {
    Path run = root.resolve("short-texts");
    TinyRun.succeed("train", tiny.config(), "--run", run, "--set", "task.maxLength=6");
    TinyRun.succeed("export", run, "--out", root.resolve("models"));
    Path served = root.resolve("models/1");
    String text = "the film was good and great";
    String longer = text + " and bad and awful and bad";
    for (Path model : List.of(run, served)) {
      assertThat(prediction(model, longer)).isEqualTo(prediction(model, text));
    }
    assertThat(prediction(served, "the film")).isNotEqualTo(prediction(served, text));
  }

  private static String prediction(Path model, String text) throws IOException {
    TinyRun.succeed("predict", model, "--prompt", text, "--json");
    return TinyRun.MAPPER
        .readTree(TinyRun.out)
        .path("predictions")
        .path(0)
        .path("probabilities")
        .toString();
  }

  @Test
  void rowsThatAreLeftOutAreCounted() throws IOException {
    String pairs = "the film was good\tthe plot was good\t1\na film\tgreat plot\t0\n";
    Path file =
        Files.writeString(
            root.resolve("pairs.tsv"),
            "question1\tquestion2\tis_duplicate\n" + pairs + "half a row\n" + pairs);
    TinyRun.succeed(
        "train",
        tiny.config(),
        "--run",
        root.resolve("pairs"),
        "--dry-run",
        "--set",
        "task.preset=qqp",
        "--set",
        "task.train=[" + file + "]",
        "--set",
        "task.valid=[" + file + "]");
    assertThat(TinyRun.err)
        .contains("task.train: 1 of 5 rows of " + file + " were broken and are left out");
  }

  /** Found again by a resumed run, which then keeps only what is better. */
  @Test
  void theBestSoFarIsKept() {
    CheckpointStore store =
        new CheckpointStore(LocalStorage.INSTANCE, root.resolve("best-so-far"), 1);
    Weights weights = new Weights().put("x", Shape.of(1), new float[] {1});
    store.save(10, weights, Map.of("selection", 0.9), "hash");
    BestCheckpoint best =
        new BestCheckpoint(
            TaskMetrics.CLASSIFICATION, trainer -> Map.of(Metric.ACCURACY, 0.5), store, "hash");
    // a trainer is asked for only where there is something to save
    assertThat(best.measure(null)).containsEntry("accuracy", 0.5);
    assertThat(store.latest().orElseThrow().step()).isEqualTo(10);
  }

  @Test
  void numbersArePredictedAndPruned() throws IOException {
    Path rated =
        Files.writeString(
            root.resolve("rated.tsv"),
            TinyEncoder.table(6, 40).replace("\tyes", "\t1").replace("\tno", "\t0"));
    String files = "task.train=[" + rated + "]";
    String valid = "task.valid=[" + rated + "]";
    Path run = root.resolve("numbers");
    TinyRun.succeed(
        "train",
        tiny.config(),
        "--run",
        run,
        "--set",
        "task.kind=regression",
        "--set",
        files,
        "--set",
        valid);
    TinyRun.succeed("predict", run, "--prompt", "a good film", "--json");
    JsonNode said = TinyRun.MAPPER.readTree(TinyRun.out).path("predictions").path(0);
    assertThat(said.path("score").isNumber()).isTrue();
    assertThat(said.has("label")).isFalse();
    TinyRun.succeed("predict", run, "--prompt", "a good film", "--dry-run", "--json");
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out).path("texts").asInt()).isEqualTo(1);
    TinyRun.succeed("evaluate", run, "--split", "valid", "--dry-run", "--json");
    JsonNode would = TinyRun.MAPPER.readTree(TinyRun.out);
    assertThat(would.path("examples").asInt()).isEqualTo(40);
    assertThat(would.has("pearson")).isFalse();
    Path slim = root.resolve("numbers-slim");
    TinyRun.succeed(tiny.command(run, "random", slim, "task.kind=regression", files, valid));
    TinyRun.succeed("evaluate", slim, "--split", "valid", "--json");
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out).has("pearson")).isTrue();
  }
}
