package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.masks.PrunableKernels;
import org.lathe.training.files.LocalStorage;

/** An encoder from a pretrained directory to a slim one, by the commands a person would type. */
class TaskCommandsTest {
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
              test: [%1$s/valid.tsv]
              text: review
              label: verdict
            """,
            """
              batchSize: 16
              steps: 60
              evaluateEvery: 20
              checkpointEvery: 20
            """,
            """
              target: {sparsity: 0.5}
              steps: 60
              finetuneSteps: 30
            """);
    Files.writeString(root.resolve("train.tsv"), TinyEncoder.table(1, 200));
    Files.writeString(root.resolve("valid.tsv"), TinyEncoder.table(2, 60));
    run = root.resolve("run");
    TinyRun.succeed("train", config, "--run", run);
  }

  @Test
  void theBestCheckpointIsEvaluated() throws IOException {
    TinyRun.succeed("evaluate", run, "--split", "test", "--json");
    JsonNode facts = TinyRun.MAPPER.readTree(TinyRun.out);
    assertThat(facts.path("examples").asInt()).isEqualTo(60);
    assertThat(facts.path("accuracy").asDouble()).isGreaterThan(0.9);
    assertThat(facts.path("standardError").asDouble()).isLessThan(0.05);
    assertThat(run.resolve("tokenizer.json")).exists();
    // finished: the same command has nothing left to do and changes nothing
    TinyRun.succeed("train", config, "--run", run, "--json");
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out).path("step").asInt()).isEqualTo(60);
  }

  /** What is published for Hugging Face comes in again as any checkpoint does. */
  @Test
  void aRunIsPublishedForHuggingFace() throws IOException {
    Path out = root.resolve("hf");
    TinyRun.succeed("export", run, "--format", "hugging-face", "--out", out, "--json");
    JsonNode facts = TinyRun.MAPPER.readTree(TinyRun.out);
    assertThat(facts.path("maxDifference").asDouble()).isLessThan(1e-6);
    assertThat(facts.path("numFilled").asLong()).isZero();
    assertThat(out.resolve("config.json"))
        .content()
        .contains("BertForSequenceClassification", "\"no\"", "\"yes\"");
    Path again = root.resolve("again");
    TinyRun.succeed("train", config, "--run", again, "--set", "task.pretrained=" + out);
    assertThat(TinyRun.execute("export", run, "--format", "hugging-face", "--out", out))
        .isEqualTo(1);
    assertThat(TinyRun.err).contains("exists already");
    Object[] mixed = {"export", run, "--format", "hugging-face", "--out", "x", "--weights", "int8"};
    assertThat(TinyRun.execute(mixed)).isEqualTo(2);
    assertThat(TinyRun.execute("export", run, "--format", "gguf", "--out", "x")).isEqualTo(2);
    assertThat(TinyRun.err).contains("expected savedmodel or hugging-face");
  }

  @Test
  void pruningReachesTheSparsityAndKeepsTheTask() throws IOException {
    Path slim = root.resolve("slim");
    TinyRun.succeed("prune", config, "--teacher", run, "--run", slim, "--json");
    JsonNode facts = TinyRun.MAPPER.readTree(TinyRun.out);
    assertThat(facts.path("sparsity").asDouble()).isBetween(0.5, 0.75);
    TinyRun.succeed("evaluate", slim, "--split", "valid", "--json");
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out).path("accuracy").asDouble())
        .isGreaterThan(0.85);
    assertThat(slim.resolve("plan.json")).exists();
    TinyRun.succeed("report", slim);
    assertThat(slim.resolve("report.html"))
        .content()
        .contains("What is kept", "Score on the validation files", "train/predictionLoss");
    Path published = root.resolve("hf-slim");
    TinyRun.succeed("export", slim, "--format", "hugging-face", "--out", published, "--json");
    JsonNode exported = TinyRun.MAPPER.readTree(TinyRun.out);
    assertThat(exported.path("maxDifference").asDouble()).isLessThan(1e-5);
    assertThat(exported.path("numFilled").asLong()).isPositive();
    // the next rung of a ladder: 10 steps from where the first ended
    Path slimmer = root.resolve("slimmer");
    TinyRun.succeed(
        "prune",
        config,
        "--teacher",
        run,
        "--run",
        slimmer,
        "--set",
        "pruning.continueFrom=" + slim,
        "--set",
        "pruning.target.sparsity=0.7",
        "--set",
        "pruning.steps=10",
        "--json");
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out).path("sparsity").asDouble())
        .isBetween(0.7, 0.85);
    JsonNode first =
        TinyRun.MAPPER.readTree(
            Files.readAllLines(slimmer.resolve("pruning/metrics.jsonl")).stream()
                .filter(line -> line.contains("\"reductionTarget\""))
                .findFirst()
                .orElseThrow());
    assertThat(first.path("value").asDouble()).isGreaterThan(0.45);
    // and the same without a second stage: what the gates left, judged and kept
    Path raw = root.resolve("raw");
    Object[] unTuned = {
      "prune", config, "--teacher", run, "--run", raw, "--set", "pruning.finetuneSteps=0", "--json"
    };
    TinyRun.succeed(unTuned);
    JsonNode kept = TinyRun.MAPPER.readTree(TinyRun.out);
    TinyRun.succeed(unTuned);
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out)).isEqualTo(kept);
    TinyRun.succeed("evaluate", raw, "--split", "valid", "--json");
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out).path("accuracy").asDouble())
        .isEqualTo(kept.path("valid").path("accuracy").asDouble());
    assertThat(
            TinyRun.execute(
                "prune",
                config,
                "--teacher",
                run,
                "--run",
                root.resolve("nowhere"),
                "--set",
                "pruning.continueFrom=" + run))
        .isEqualTo(2);
    assertThat(TinyRun.err).contains("pruning.continueFrom");
  }

  /** Single weights become zeros: nothing gets smaller, and no speed-up can be promised. */
  @ParameterizedTest
  @ValueSource(strings = {"magnitude", "movement"})
  void zerosOfSingleWeightsStayInTheBestModel(String method) throws IOException {
    Path sparse = root.resolve(method);
    String[] prune = {
      "prune",
      config.toString(),
      "--teacher",
      run.toString(),
      "--run",
      sparse.toString(),
      "--set",
      "pruning.method=" + method,
      "--json"
    };
    TinyRun.succeed((Object[]) prune);
    JsonNode facts = TinyRun.MAPPER.readTree(TinyRun.out);
    assertThat(facts.path("zeroWeights").asDouble()).isCloseTo(0.5, within(0.005));
    assertThat(facts.path("sparsity").asDouble()).isZero();
    assertThat(Files.readString(sparse.resolve("pruning/metrics.jsonl")))
        .contains("reductionTarget");
    // the finished command again finds the same masks
    TinyRun.succeed((Object[]) prune);
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out)).isEqualTo(facts);
    RunDirectory directory = RunDirectory.open(LocalStorage.INSTANCE, sparse);
    Weights kept = directory.encoderWeights(directory.record().encoder().head());
    PrunableKernels kernels = new PrunableKernels(directory.record().model(), Encoder.PREFIX);
    assertThat(kernels.zeroShare(kept)).isEqualTo(facts.path("zeroWeights").asDouble());
    TinyRun.succeed("evaluate", sparse, "--split", "valid", "--json");
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out).path("accuracy").asDouble())
        .isGreaterThan(0.85);
    Path faster = root.resolve(method + "-faster");
    prune[5] = faster.toString();
    List<Object> asked = new ArrayList<>(List.of(prune));
    asked.addAll(List.of("--set", "pruning.target.speedup=2"));
    assertThat(TinyRun.execute(asked.toArray())).isEqualTo(2);
    assertThat(TinyRun.err).contains("save no time").contains("pruning.target.sparsity");
    assertThat(faster).doesNotExist();
  }

  @Test
  void blockPruningReachesTheSparsityAndKeepsTheTask() throws IOException {
    Path slim = root.resolve("block");
    TinyRun.succeed(
        "prune",
        config,
        "--teacher",
        run,
        "--run",
        slim,
        "--set",
        "pruning.method=block",
        "--set",
        "pruning.blockPenalty=1",
        "--json");
    JsonNode facts = TinyRun.MAPPER.readTree(TinyRun.out);
    assertThat(facts.path("sparsity").asDouble()).isBetween(0.5, 0.75);
    assertThat(facts.path("hiddenSize").asInt()).isEqualTo(16);
    assertThat(facts.has("zeroWeights")).isFalse();
    TinyRun.succeed("evaluate", slim, "--split", "valid", "--json");
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out).path("accuracy").asDouble())
        .isGreaterThan(0.85);
  }

  @Test
  void aSmallStudentIsTaughtInTwoStages() throws IOException {
    Path slim = root.resolve("tinybert");
    Object[] prune = {
      "prune",
      config,
      "--teacher",
      run,
      "--run",
      slim,
      "--set",
      "pruning.method=tinybert",
      "--set",
      "pruning.target.sparsity=0.6",
      "--json"
    };
    TinyRun.succeed(prune);
    JsonNode facts = TinyRun.MAPPER.readTree(TinyRun.out);
    assertThat(facts.path("sparsity").asDouble()).isBetween(0.6, 0.65);
    assertThat(facts.path("hiddenSize").asInt()).isEqualTo(16);
    assertThat(Files.readString(slim.resolve("pruning/metrics.jsonl")))
        .contains("attentionLoss", "hiddenLoss", "embeddingLoss");
    RunDirectory directory = RunDirectory.open(LocalStorage.INSTANCE, slim);
    assertThat(directory.record().model().blocks().get(0)).isEqualTo(new BlockShape(0, 0));
    // the finished command again finds the same student
    TinyRun.succeed(prune);
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out)).isEqualTo(facts);
    TinyRun.succeed("evaluate", slim, "--split", "valid", "--json");
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out).path("accuracy").asDouble())
        .isGreaterThan(0.85);
    TinyRun.succeed("export", slim, "--out", root.resolve("tinybert-models"), "--json");
    assertThat(TinyRun.MAPPER.readTree(TinyRun.out).path("maxDifference").asDouble())
        .isLessThan(1e-4);
    prune[9] = "pruning.studentLayers=3";
    prune[5] = root.resolve("tinybert-3");
    assertThat(TinyRun.execute(prune)).isEqualTo(2);
    assertThat(TinyRun.err).contains("pruning.studentLayers");
  }

  @Test
  void anExportedEncoderIsVerified() throws IOException {
    Path models = root.resolve("models");
    TinyRun.succeed("export", run, "--out", models, "--json");
    JsonNode facts = TinyRun.MAPPER.readTree(TinyRun.out);
    assertThat(facts.path("maxDifference").asDouble()).isLessThan(1e-4);
    Path version = models.resolve("1");
    assertThat(version.resolve("assets.extra/tokenizer.json")).exists();
    assertThat(version.resolve("assets.extra/labels.json")).content().contains("yes");
    TinyRun.succeed("verify", version);
    TinyRun.succeed(
        "benchmark", "latency", version, version, "--batch", "1,2", "--length", 8, "--json");
    JsonNode times = TinyRun.MAPPER.readTree(TinyRun.out).path("models").path(0);
    assertThat(times.path("speedupBatch2").asDouble()).isBetween(0.2, 5.0);
    assertThat(TinyRun.execute("export", run, "--out", models, "--store", root)).isEqualTo(2);
    predicts(models);
  }

  /** The run and what was exported of it say the same of a text. */
  private static void predicts(Path models) throws IOException {
    String[] texts = {"the film was great and good", "a bad plot and an awful film"};
    JsonNode ofRun = predictions(run, texts);
    JsonNode exported = predictions(models, texts);
    for (int i = 0; i < texts.length; i++) {
      assertThat(exported.path(i).path("label")).isEqualTo(ofRun.path(i).path("label"));
      double sum = 0;
      for (String label : List.of("yes", "no")) {
        double probability = exported.path(i).path("probabilities").path(label).asDouble();
        assertThat(probability)
            .isCloseTo(ofRun.path(i).path("probabilities").path(label).asDouble(), within(1e-4));
        sum += probability;
      }
      assertThat(sum).isCloseTo(1, within(1e-6));
    }
    assertThat(ofRun.path(0).path("label").asText()).isEqualTo("yes");
    assertThat(ofRun.path(1).path("label").asText()).isEqualTo("no");
    JsonNode pair = predictions(run, "the film\twas great").path(0);
    assertThat(pair.path("secondText").asText()).isEqualTo("was great");
    assertThat(TinyRun.execute("predict", run, "--prompt", "good", "--explain", "1")).isEqualTo(2);
    assertThat(TinyRun.err).contains("--explain");
  }

  private static JsonNode predictions(Path model, String... texts) throws IOException {
    List<Object> command = new ArrayList<>(List.of("predict", model, "--json"));
    for (String text : texts) {
      command.add("--prompt");
      command.add(text);
    }
    TinyRun.succeed(command.toArray());
    return TinyRun.MAPPER.readTree(TinyRun.out).path("predictions");
  }

  @Test
  void complaintsNameTheKey() {
    assertThat(
            TinyRun.execute("train", config, "--run", root.resolve("x"), "--set", "task.train=[]"))
        .isEqualTo(2);
    assertThat(TinyRun.err).contains("task.train");
    assertThat(
            TinyRun.execute(
                "train", config, "--run", root.resolve("x"), "--set", "task.label=nothing"))
        .isEqualTo(2);
    assertThat(TinyRun.err).contains("nothing").contains("verdict");
    assertThat(root.resolve("x")).doesNotExist();
    assertThat(TinyRun.execute("evaluate", run, "--set", "task.preset=rte")).isEqualTo(2);
    assertThat(TinyRun.err).contains("has the labels").contains("trained for [no, yes]");
    assertThat(TinyRun.execute("evaluate", run, "--set", "task.preset=squad")).isEqualTo(2);
    assertThat(TinyRun.err).contains("of kind span-qa, but task.kind is classification");
  }

  /** A pruned run is of the files that it learned from, not of its teacher's. */
  @Test
  void otherExamplesUnderTheSameNameAreAnotherRun() throws IOException {
    Path own = Files.writeString(root.resolve("own.tsv"), TinyEncoder.table(3, 40));
    Object[] prune = {
      "prune",
      config,
      "--teacher",
      run,
      "--run",
      root.resolve("own"),
      "--set",
      "task.train=[" + own + "]",
      "--set",
      "pruning.steps=1",
      "--set",
      "pruning.finetuneSteps=1"
    };
    TinyRun.succeed(prune);
    Files.writeString(own, TinyEncoder.table(4, 40));
    assertThat(TinyRun.execute(prune)).isNotZero();
    assertThat(TinyRun.err).contains("another configuration or other data").contains("own");
  }

  /** What the readers refuse (their own tests have the kinds) ends a command as it should. */
  @Test
  void hostileCheckpointsEndWithExitCode3AndLeaveNothing() throws IOException {
    Path good = root.resolve("pretrained/model.safetensors");
    byte[] whole = Files.readAllBytes(good);
    byte[] hugeHeader = whole.clone();
    Arrays.fill(hugeHeader, 0, 8, (byte) 0x7F);
    byte[] brokenJson = whole.clone();
    brokenJson[8] = '[';
    byte[][] hostile = {
      {}, Arrays.copyOf(whole, whole.length - 1), Arrays.copyOf(whole, 100), hugeHeader, brokenJson
    };
    for (int i = 0; i < hostile.length; i++) {
      Path directory = Files.createDirectory(root.resolve("hostile-" + i));
      Files.copy(root.resolve("pretrained/config.json"), directory.resolve("config.json"));
      Files.copy(root.resolve("pretrained/tokenizer.json"), directory.resolve("tokenizer.json"));
      refused(directory, Files.write(directory.resolve("model.safetensors"), hostile[i]));
    }
    Path onnx = Files.createDirectory(root.resolve("hostile-onnx"));
    Files.copy(root.resolve("pretrained/tokenizer.json"), onnx.resolve("tokenizer.json"));
    byte[] endless = {0x3A, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 0x07, 1};
    refused(onnx, Files.write(onnx.resolve("model.onnx"), endless));
  }

  private static void refused(Path pretrained, Path file) {
    Path target = root.resolve("never");
    assertThat(
            TinyRun.execute(
                "train", config, "--run", target, "--set", "task.pretrained=" + pretrained))
        .as(TinyRun.err)
        .isEqualTo(3);
    assertThat(TinyRun.err.strip()).startsWith("lathe: ").contains(file.toString());
    assertThat(TinyRun.err.strip().lines()).hasSize(1);
    assertThat(target).doesNotExist();
  }
}
