package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.pretrained.PretrainedReader;

/** From plain text to a pruned encoder, and from that to a task. */
class MaskedLanguageModelTest {
  @TempDir static Path root;
  static Path config;
  static Path run;

  @BeforeAll
  static void learnToGuess() throws IOException {
    TinyEncoder.writePretrained(root.resolve("pretrained"));
    Files.writeString(root.resolve("text.txt"), text(1, 400));
    Files.writeString(root.resolve("valid.txt"), text(2, 60));
    config =
        TinyEncoder.writeConfig(
            root,
            """
              kind: masked-lm
              train: [%1$s/text.txt]
              valid: [%1$s/valid.txt]
              test: [%1$s/valid.txt]
            """,
            """
              batchSize: 8
              steps: 200
              evaluateEvery: 100
              checkpointEvery: 100
            """,
            """
              target: {sparsity: 0.3}
              steps: 40
              finetuneSteps: 60
            """);
    run = root.resolve("run");
    TinyRun.succeed("train", config, "--run", run);
  }

  /** A film is great or good, a plot bad or awful; "the", "was" and "and" stand where they must. */
  private static String text(long seed, int numLines) {
    Random random = new Random(seed);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < numLines; i++) {
      text.append(
          random.nextBoolean() ? "the film was good and great\n" : "the plot was bad and awful\n");
      if (i % 10 == 9) {
        text.append("<|endoftext|>\n");
      }
    }
    return text.toString();
  }

  private static JsonNode scores(Path of) throws IOException {
    TinyRun.succeed("evaluate", of, "--split", "test", "--json");
    return TinyRun.MAPPER.readTree(TinyRun.out);
  }

  @Test
  void guessesAreLearnedAndMeasuredAlikeEveryTime() throws IOException {
    JsonNode first = scores(run);
    // a share of hidden tokens, which are no independent examples
    assertThat(first.has("standardError")).isFalse();
    // ln(1 / 15) = -2.7 by chance, about -2.2 by how often words come
    assertThat(first.path("log-likelihood").asDouble()).isBetween(-1.7, 0.0);
    assertThat(first.path("accuracy").asDouble()).isGreaterThan(0.4);
    assertThat(scores(run)).isEqualTo(first);
    RunDirectory directory = RunDirectory.open(LocalStorage.INSTANCE, run);
    assertThat(directory.record().encoder().head()).isEqualTo(HeadConfig.MASKED_LM);
  }

  @Test
  void anEncoderWithoutATaskIsPublishedForHuggingFace() throws IOException {
    Path out = root.resolve("hf");
    TinyRun.succeed("export", run, "--format", "hugging-face", "--out", out, "--json");
    JsonNode facts = TinyRun.MAPPER.readTree(TinyRun.out);
    assertThat(facts.path("maxDifference").asDouble()).isLessThan(1e-6);
    assertThat(facts.path("numFilled").asLong()).isZero();
    assertThat(out.resolve("config.json")).content().contains("BertForMaskedLM");
    assertThat(PretrainedReader.read(LocalStorage.INSTANCE, out, OptionalInt.empty()).maskedLm())
        .isNotNull();
  }

  @Test
  void whatHasNoTaskIsNotTimed() {
    Path slim = root.resolve("timed");
    Object[] prune = {
      "prune", config, "--teacher", run, "--run", slim, "--set", "pruning.target.speedup=2"
    };
    assertThat(TinyRun.execute(prune)).isEqualTo(2);
    assertThat(TinyRun.err).contains("has no task yet").contains("pruning.target.parameters");
    assertThat(TinyRun.execute("benchmark", "sublayers", run, "--out", slim)).isEqualTo(2);
    assertThat(TinyRun.err).contains("has no task yet");
    assertThat(slim).doesNotExist();
  }

  @Test
  void onePrunedEncoderServesTasks() throws IOException {
    Path slim = root.resolve("slim");
    TinyRun.succeed("prune", config, "--teacher", run, "--run", slim);
    assertThat(TinyRun.out).contains("next: lathe train CONFIG --set task.pretrained=" + slim);
    TinyRun.succeed("prune", config, "--teacher", run, "--run", slim, "--json");
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out).path("sparsity").asDouble())
        .isBetween(0.3, 0.5);
    assertThat(scores(slim).path("log-likelihood").asDouble()).isGreaterThan(-2.0);
    Files.writeString(root.resolve("train.tsv"), TinyEncoder.table(1, 200));
    Files.writeString(root.resolve("valid.tsv"), TinyEncoder.table(2, 60));
    Path tuned = root.resolve("tuned");
    TinyRun.succeed(
        "train",
        config,
        "--run",
        tuned,
        "--set",
        "task.kind=classification",
        "--set",
        "task.pretrained=" + slim,
        "--set",
        "task.train=[" + root.resolve("train.tsv") + "]",
        "--set",
        "task.valid=[" + root.resolve("valid.tsv") + "]",
        "--set",
        "task.text=review",
        "--set",
        "task.label=verdict",
        "--set",
        "training.steps=150",
        "--set",
        "training.batchSize=16");
    TinyRun.succeed("evaluate", tuned, "--split", "valid", "--json");
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out).path("accuracy").asDouble()).isGreaterThan(0.9);
    RunDirectory directory = RunDirectory.open(LocalStorage.INSTANCE, tuned);
    assertThat(directory.record().model().blocks())
        .isEqualTo(RunDirectory.open(LocalStorage.INSTANCE, slim).record().model().blocks());
  }

  /**
   * TinyBERT as published: a student learns on plain text first, then from a teacher of the task.
   */
  @Test
  void aStudentOfPlainTextGoesOnWithATask() throws IOException {
    Path general = root.resolve("general");
    prune(general, run, "pruning.target.sparsity=0.5", "pruning.finetuneSteps=0");
    Files.writeString(root.resolve("train.tsv"), TinyEncoder.table(1, 200));
    Files.writeString(root.resolve("valid.tsv"), TinyEncoder.table(2, 60));
    Path teacher = root.resolve("teacher");
    List<String> task =
        List.of(
            "task.kind=classification",
            "task.pretrained=" + run,
            "task.train=[" + root.resolve("train.tsv") + "]",
            "task.valid=[" + root.resolve("valid.tsv") + "]",
            "task.text=review",
            "task.label=verdict",
            "training.steps=150",
            "training.batchSize=16");
    TinyRun.succeed(withSettings(List.of("train", config, "--run", teacher), task));
    // one step that changes next to nothing, to see what the student starts from
    Path start = root.resolve("start");
    List<String> still = new ArrayList<>(task);
    still.addAll(
        List.of(
            "pruning.studentFrom=" + general,
            "pruning.steps=1",
            "pruning.learningRate=1e-12",
            "pruning.finetuneSteps=0"));
    prune(start, teacher, still.toArray(String[]::new));
    Weights given = encoderOf(general);
    Weights found = encoderOf(start);
    assertThat(found.names()).isEqualTo(given.names());
    for (String name : given.names()) {
      assertThat(found.get(name).shape()).isEqualTo(given.get(name).shape());
      assertThat(found.get(name).values()).containsExactly(given.get(name).values(), within(1e-6f));
    }
    Path tuned = root.resolve("student");
    List<String> all = new ArrayList<>(task);
    all.addAll(List.of("pruning.studentFrom=" + general, "pruning.finetuneSteps=120"));
    prune(tuned, teacher, all.toArray(String[]::new));
    TinyRun.succeed("evaluate", tuned, "--split", "valid", "--json");
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out).path("accuracy").asDouble())
        .isGreaterThan(0.85);
    List<Object> wrong =
        new ArrayList<>(
            List.of("prune", config, "--teacher", teacher, "--run", root.resolve("wrong")));
    List<String> from = new ArrayList<>(task);
    from.addAll(List.of("pruning.method=tinybert", "pruning.studentFrom=" + teacher));
    assertThat(TinyRun.execute(withSettings(wrong, from))).isEqualTo(2);
    assertThat(TinyRun.err).contains("pruning.studentFrom").contains("plan.json");
    assertThat(root.resolve("wrong")).doesNotExist();
  }

  private static void prune(Path slim, Path teacher, String... settings) {
    List<String> all = new ArrayList<>(List.of(settings));
    all.add("pruning.method=tinybert");
    TinyRun.succeed(
        withSettings(List.of("prune", config, "--teacher", teacher, "--run", slim), all));
  }

  private static Object[] withSettings(List<Object> command, List<String> settings) {
    List<Object> all = new ArrayList<>(command);
    settings.forEach(setting -> all.addAll(List.of("--set", setting)));
    return all.toArray();
  }

  private static Weights encoderOf(Path run) {
    RunDirectory directory = RunDirectory.open(LocalStorage.INSTANCE, run);
    return directory.encoderWeights(directory.record().encoder().head()).startingWith("encoder/");
  }

  /** What is not a model with a task says so. */
  @Test
  void complaintsSayWhatToDo() throws IOException {
    assertThat(TinyRun.execute("export", run, "--out", root.resolve("models"))).isEqualTo(2);
    assertThat(TinyRun.err).contains("fine-tune it first");
    assertThat(
            TinyRun.execute(
                "prune",
                config,
                "--teacher",
                run,
                "--run",
                root.resolve("x"),
                "--set",
                "pruning.target.sparsity=",
                "--set",
                "pruning.target.speedup=2"))
        .isEqualTo(2);
    assertThat(TinyRun.err).contains("pruning.target");
    Files.writeString(root.resolve("empty.txt"), "\n");
    assertThat(
            TinyRun.execute(
                "train",
                config,
                "--run",
                root.resolve("x"),
                "--set",
                "task.train=[" + root.resolve("empty.txt") + "]"))
        .isEqualTo(3);
    assertThat(TinyRun.err).contains("empty.txt");
    assertThat(root.resolve("x")).doesNotExist();
  }
}
