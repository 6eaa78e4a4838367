package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.cli.ExitCodes;
import org.lathe.training.files.LocalStorage;

/** What makes an encoder with a task smaller beside pruning: fewer tokens, packed matrices. */
class TaskSizeTest {
  private static final int NUM_TOKENS = 15;
  private static final int MAX_PARAMETERS = 2_500;

  @TempDir static Path root;
  static Path config;
  static Path run;

  @BeforeAll
  static void fineTune() throws IOException {
    TinyEncoder.writePretrained(root.resolve("pretrained"));
    config =
        TinyEncoder.writeConfig(
            root,
            """
              kind: classification
              train: [%1$s/train.tsv]
              valid: [%1$s/valid.tsv]
              text: review
              label: verdict
            """,
            """
              batchSize: 16
              steps: 60
              evaluateEvery: 20
              checkpointEvery: 60
            """,
            """
              target: {sparsity: 0.5}
              steps: 4
              finetuneSteps: 2
            """);
    // neither "awful" nor "plot" is learned from
    Files.writeString(
        root.resolve("train.tsv"),
        TinyEncoder.table(1, 200).replace("awful", "bad").replace("plot", "film"));
    Files.writeString(root.resolve("valid.tsv"), TinyEncoder.table(2, 60));
    run = root.resolve("run");
    TinyRun.succeed("train", config, "--run", run, "--set", "task.minTokenCount=1");
  }

  @Test
  void tokensThatNobodyUsesAreGoneInEverythingThatFollows() throws IOException {
    RunDirectory directory = RunDirectory.open(LocalStorage.INSTANCE, run);
    assertThat(directory.record().model().vocabularySize()).isEqualTo(NUM_TOKENS - 2);
    JsonNode tokenizer = TinyRun.MAPPER.readTree(Files.readString(run.resolve("tokenizer.json")));
    JsonNode vocabulary = tokenizer.path("model").path("vocab");
    assertThat(vocabulary).hasSize(NUM_TOKENS - 2);
    assertThat(vocabulary.has("awful")).isFalse();
    Path slim = root.resolve("slim");
    TinyRun.succeed(
        "prune",
        config,
        "--teacher",
        run,
        "--run",
        slim,
        "--set",
        "pruning.method=one-shot",
        "--set",
        "pruning.target.parameters=" + MAX_PARAMETERS,
        "--json");
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out).path("prunableParameters").asInt())
        .isBetween(MAX_PARAMETERS / 2, MAX_PARAMETERS);
    TinyRun.succeed("export", slim, "--out", root.resolve("models/slim"));
    TinyRun.succeed(
        "predict", root.resolve("models/slim/1"), "--prompt", "the film was great", "--json");
    assertThat(TinyRun.out).contains("yes");
  }

  @Test
  void packedModelsAnswerAlikeFromSmallerFiles() throws IOException {
    JsonNode whole = export("float32");
    assertThat(whole.path("weights").asText()).isEqualTo("float32");
    assertThat(whole.has("roundingDifference")).isFalse();
    double probability = probability("float32");
    for (String type : List.of("float16", "int8")) {
      JsonNode packed = export(type);
      assertThat(packed.path("maxDifference").asDouble()).isLessThan(1e-4);
      assertThat(packed.path("roundingDifference").asDouble()).isPositive().isLessThan(0.2);
      assertThat(variableBytes(type)).isLessThan(0.7 * variableBytes("float32"));
      assertThat(probability(type)).isCloseTo(probability, within(0.05));
      TinyRun.succeed("verify", root.resolve("models/" + type + "/1"));
      assertThat(accuracy("--served", root.resolve("models/" + type + "/1")))
          .isCloseTo(accuracy(), within(0.05));
    }
    assertThat(accuracy("--served", root.resolve("models/float32"))).isEqualTo(accuracy());
    int exitCode =
        TinyRun.execute("export", run, "--out", root.resolve("models/none"), "--weights", "int4");
    assertThat(exitCode).isEqualTo(ExitCodes.USAGE);
    assertThat(TinyRun.err).contains("expected float32, float16 or int8");
    assertThat(root.resolve("models/none")).doesNotExist();
  }

  private static double accuracy(Object... options) throws IOException {
    Object[] command = Arrays.copyOf(new Object[] {"evaluate", run, "--json"}, 3 + options.length);
    System.arraycopy(options, 0, command, 3, options.length);
    TinyRun.succeed(command);
    return TinyRun.MAPPER.readTree(TinyRun.out).path("accuracy").asDouble();
  }

  @Test
  void aVersionOfAnotherTokenizerIsNotMeasured() throws IOException {
    Path other = root.resolve("other");
    TinyRun.succeed("train", config, "--run", other, "--set", "training.steps=1");
    TinyRun.succeed("export", other, "--out", root.resolve("models/other"));
    assertThat(TinyRun.execute("evaluate", run, "--served", root.resolve("models/other/1")))
        .isEqualTo(ExitCodes.USAGE);
    assertThat(TinyRun.err).contains("another tokenizer").contains("exported from this run");
  }

  private static JsonNode export(String type) throws IOException {
    TinyRun.succeed(
        "export", run, "--out", root.resolve("models/" + type), "--weights", type, "--json");
    return TinyRun.MAPPER.readTree(TinyRun.out);
  }

  private static double variableBytes(String type) throws IOException {
    return Files.size(
        root.resolve("models/" + type + "/1/variables/variables.data-00000-of-00001"));
  }

  private static double probability(String type) throws IOException {
    TinyRun.succeed(
        "predict", root.resolve("models/" + type + "/1"), "--prompt", "a bad film", "--json");
    return TinyRun.MAPPER
        .readTree(TinyRun.out)
        .findValue("probabilities")
        .path("no")
        .asDouble(Double.NaN);
  }
}
