package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.cli.Lathe;
import org.lathe.cli.Surroundings;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.plan.PruningPlanFile;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;
import org.lathe.training.telemetry.MetricsWriter;

/** Commands one after the other as a person types them: text, model, export, its uses, report. */
class LifeCycleTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final Storage STORAGE = LocalStorage.INSTANCE;

  @TempDir static Path root;
  private static Path run;

  private static String out = "";
  private static String err = "";

  @BeforeAll
  static void prepareAndTrain() throws IOException {
    Path text = Files.writeString(root.resolve("text.txt"), documents());
    Path data = root.resolve("data");
    run = root.resolve("run");
    succeed("prepare", "--preset", "tiny", "--set", "data.sources=[" + text + "]", "--out", data);
    succeed(
        "train",
        "--preset",
        "tiny",
        "--set",
        "data.directory=" + data,
        "--set",
        "training.steps=5",
        "--run",
        run);
  }

  private static String documents() {
    Random random = new Random(1);
    String[] words = {"int", "long", "value", "count", "=", "+", "return", "size"};
    StringBuilder text = new StringBuilder();
    for (int document = 0; document < 30; document++) {
      for (int i = 0; i < 40; i++) {
        text.append(words[random.nextInt(words.length)]).append(i % 8 == 7 ? ";\n" : " ");
      }
      text.append("<|endoftext|>\n");
    }
    return text.toString();
  }

  @Test
  void benchmarkTimesBothInTurns() throws IOException {
    JsonNode facts =
        json(
            "benchmark",
            "training",
            "--preset",
            "tiny",
            "--set",
            "data.directory=" + root.resolve("data"),
            "--against",
            "memory.objective=none",
            "--steps",
            "3");
    assertThat(facts.path("stepMs").asDouble()).isPositive();
    assertThat(facts.path("ratio").asDouble())
        .isEqualTo(facts.path("stepMs").asDouble() / facts.path("againstStepMs").asDouble());
  }

  @Test
  void benchmarkOfSearches() throws IOException {
    Path files = Files.createDirectory(root.resolve("search"));
    Object[] small = {
      "benchmark",
      "search",
      "--keys",
      1500,
      "--queries",
      100,
      "--width",
      12,
      "--neighbors",
      5,
      "--repeats",
      2
    };
    JsonNode facts = json(append(small, "--with-graph", "--write", files));
    for (JsonNode search : List.of(facts, facts.path("graph"))) {
      assertThat(search.path("recall").asDouble()).isBetween(0.95, 1.0);
      assertThat(search.path("queriesPerSecond").asDouble()).isPositive();
      assertThat(search.path("buildMs").asDouble()).isPositive();
      assertThat(search.path("indexBytes").asLong()).isGreaterThan(4 * 12 * 1500);
    }
    JsonNode graph = facts.path("graph");
    assertThat(graph.path("ratio").asDouble())
        .isCloseTo(
            graph.path("queriesPerSecond").asDouble() / facts.path("queriesPerSecond").asDouble(),
            within(1e-9));
    assertThat(graph.path("breadth").asInt()).isGreaterThanOrEqualTo(5);
    Object[] same = {
      "--keys-file", files.resolve("keys.bin"), "--queries-file", files.resolve("queries.bin")
    };
    JsonNode without = json(append(small, same));
    assertThat(without.has("graph")).isFalse();
    assertThat(without.path("numProbes")).isEqualTo(facts.path("numProbes"));
    assertThat(without.path("recall")).isEqualTo(facts.path("recall"));
  }

  @Test
  void exportVerifyPredict() throws IOException {
    Path base = root.resolve("models").resolve("tiny");
    succeed("export", run, "--out", base, "--dry-run");
    assertThat(out).contains("would write " + base.resolve("1"));
    assertThat(base).doesNotExist();

    JsonNode exported = json("export", run, "--out", base);
    assertThat(exported.path("path").asText()).isEqualTo(base.resolve("1").toString());
    assertThat(exported.path("version").asInt()).isEqualTo(1);
    assertThat(exported.path("numParameters").asInt()).isPositive();
    assertThat(exported.path("sizeBytes").asInt())
        .isGreaterThan(4 * exported.path("numParameters").asInt());
    assertThat(exported.path("maxDifference").asDouble()).isBetween(0.0, 1e-4);
    assertThat(base.resolve("1/assets.extra/tokenizer-kind.json")).exists();

    succeed("export", run, "--out", base, "--set", "export.temperature=0.5");
    assertThat(out)
        .contains(base.resolve("2").toString())
        .contains(
            "curl -d '{\"instances\": [[1, 2, 3]]}' -X POST"
                + " http://localhost:8501/v1/models/tiny:predict");
    assertThat(execute("export", run, "--out", base, "--version", "2")).isEqualTo(2);
    assertThat(err).contains("exists already");

    JsonNode verified = json("verify", base);
    assertThat(verified.path("path").asText()).isEqualTo(base.resolve("2").toString());
    assertThat(verified.path("checks").findValuesAsText("name"))
        .containsExactly("manifest", "graph", "variables", "warm-up", "parity");
    succeed("verify", base.resolve("1"));
    assertThat(out).contains("checksums match").contains("is sound");

    predictAlike(base);
    damagedModelsAreRefused(base);
  }

  /** The export of a run answers as the run, memory and temperature included. */
  private static void predictAlike(Path base) throws IOException {
    String[] prompts = {"int value = count", "r", "size size size size size size size"};
    Object[] options = {
      "--prompt", prompts[0], "--prompt", prompts[1], "--prompt", prompts[2], "--tokens", 40
    };
    JsonNode ofModel = json(concat("predict", base.resolve("1"), options));
    JsonNode ofRun = json(concat("predict", run, options));
    assertThat(ofModel.path("predictions")).hasSize(3);
    for (int i = 0; i < prompts.length; i++) {
      JsonNode expected = ofRun.path("predictions").path(i);
      JsonNode found = ofModel.path("predictions").path(i);
      assertThat(found.path("prompt").asText()).isEqualTo(prompts[i]);
      assertThat(found.path("tokens")).hasSize(40).isEqualTo(expected.path("tokens"));
      assertThat(found.path("completion")).isEqualTo(expected.path("completion"));
      for (int t = 0; t < 40; t++) {
        assertThat(found.path("logProbabilities").path(t).asDouble())
            .isNegative()
            .isCloseTo(expected.path("logProbabilities").path(t).asDouble(), within(1e-4));
      }
    }
    JsonNode cold = json("predict", base, "--prompt", prompts[0], "--tokens", 3);
    JsonNode coldRun =
        json(
            "predict",
            run,
            "--prompt",
            prompts[0],
            "--tokens",
            3,
            "--set",
            "export.temperature=0.5");
    assertThat(cold.path("predictions").path(0).path("tokens"))
        .isEqualTo(coldRun.path("predictions").path(0).path("tokens"));

    succeed("predict", base, "--prompt", "x".repeat(100), "--tokens", 1);
    assertThat(err).contains("a prompt of 100 tokens", "64 positions", "its last 63");
    assertThat(out).startsWith("x".repeat(100));
    assertThat(execute("predict", base, "--prompt", "", "--tokens", 1)).isEqualTo(2);
    assertThat(err).contains("prompt 1 is empty");
    assertThat(execute("predict", base, "--prompt", "a", "--set", "export.temperature=2"))
        .isEqualTo(2);
    assertThat(err).contains("has no effect");
    assertThat(execute("predict", base, "--prompt", "a", "--store", root)).isEqualTo(2);
    assertThat(err).contains("--store needs a run", "lathe predict RUN --store");
    assertThat(execute("predict", base, "--prompt", "a", "--explain", "1")).isEqualTo(2);
    assertThat(err).contains("--explain needs a run", "lathe predict RUN --store");
    assertThat(execute("predict", root.resolve("data"), "--prompt", "a")).isEqualTo(2);
    assertThat(err).contains("holds no version of a model");
    assertThat(execute("verify", run)).isEqualTo(2);
    assertThat(err).contains("is a run");
  }

  private static void damagedModelsAreRefused(Path base) throws IOException {
    Path variables = base.resolve("2/variables/variables.data-00000-of-00001");
    byte[] bytes = Files.readAllBytes(variables);
    bytes[bytes.length / 2] ^= 1;
    Files.write(variables, bytes);
    assertThat(execute("verify", base)).isEqualTo(3);
    assertThat(err).contains("SHA-256");
    Files.delete(base.resolve("2/MANIFEST.json"));
    assertThat(execute("verify", base)).isEqualTo(3);
  }

  /** Trained in two goes, measured with its own memory and a longer one, and nothing else. */
  @Test
  void recurrentModelsAreTrainedAndMeasured() throws IOException {
    Path recurrent = root.resolve("recurrent");
    Object[] train = {
      "train",
      "--preset",
      "tiny",
      "--set",
      "data.directory=" + root.resolve("data"),
      "--set",
      "training.steps=3",
      "--set",
      "recurrence.memoryLength=16",
      "--set",
      "recurrence.compression=convolution",
      "--set",
      "recurrence.compressedLength=8",
      "--run",
      recurrent
    };
    succeed(train);
    assertThat(err).contains("16 positions remembered");
    assertThat(Files.readString(recurrent.resolve("metrics.jsonl"))).contains("reconstruction");
    succeed(train);
    assertThat(err).contains("resuming");

    Object[] evaluate = {
      "evaluate", recurrent, "--split", "test", "--memory", "none,long,knn", "--tune"
    };
    succeed(evaluate);
    assertThat(out).contains("segments of 8, 16 positions remembered and 8 slots");
    double own = noMemory(recurrent);
    double longer = noMemory(recurrent, "--set", "recurrence.testMemoryLength=40");
    assertThat(own).isPositive().isNotEqualTo(longer);

    assertThat(
            execute(
                "evaluate", recurrent, "--split", "test", "--set", "recurrence.memoryLength=32"))
        .isEqualTo(2);
    assertThat(err).contains("recurrence.testMemoryLength");
    assertThat(execute("export", recurrent, "--out", root.resolve("models").resolve("none")))
        .isEqualTo(2);
    assertThat(err).contains("recurrent model", "cannot be exported");
    assertThat(execute("predict", recurrent, "--prompt", "a")).isEqualTo(2);
    Object[] prune = {
      "prune", "--preset", "tiny", "--teacher", recurrent, "--run", root.resolve("no")
    };
    assertThat(execute(prune)).isEqualTo(2);
    assertThat(err).contains("cannot be pruned");
    succeed("report", recurrent);
  }

  private static double noMemory(Path recurrent, Object... more) throws IOException {
    Object[] evaluate = {"evaluate", recurrent, "--split", "test", "--memory", "none"};
    return json(append(evaluate, more)).at("/perplexity/none").asDouble();
  }

  @Test
  void otherMethodsThanCofiPruneEncodersOnly() {
    for (String key : List.of("pruning.method=layer-drop", "pruning.initialization=importance")) {
      Object[] prune = {
        "prune", "--preset", "tiny", "--teacher", run, "--run", root.resolve("no"), "--set", key
      };
      assertThat(execute(prune)).isEqualTo(2);
      assertThat(err).contains(key.substring(0, key.indexOf('='))).contains("encoders with a task");
    }
    assertThat(root.resolve("no")).doesNotExist();
  }

  @Test
  void report() throws IOException {
    succeed("report", run);
    String page = Files.readString(run.resolve("report.html"));
    assertThat(page)
        .contains("<h2>Loss</h2>", "Gradient norm", "training.segmentLength", "<svg")
        .doesNotContain("What is kept", "Perplexity", "Multipliers", "NaN");

    TransformerConfig config = TransformerConfig.uniform(256, 16, 2, 2, 32, 64);
    GateValues gates = GateValues.allOpen(config);
    gates.heads()[0][1] = 0;
    gates.feedForwardLayer()[1] = 0;
    PruningPlanFile.write(STORAGE, run.resolve("plan.json"), PruningPlan.from(config, gates));
    JsonFile.write(
        STORAGE,
        run.resolve("evaluation.json"),
        Map.of("perplexity", Map.of("none", 31.5, "local <memory>", 28.25)));
    Path pruning = Files.createDirectory(run.resolve("pruning"));
    try (MetricsWriter writer =
        MetricsWriter.resume(STORAGE, pruning.resolve("metrics.jsonl"), -1)) {
      for (String name : List.of("reduction", "reductionTarget", "lambda1", "lambda2")) {
        writer.write(1, "train", name, 0.5, 1);
        writer.write(2, "train", name, Double.NaN, 1);
      }
    }
    JsonNode facts = json("report", run);
    assertThat(facts.path("structure").asBoolean()).isTrue();
    page = Files.readString(run.resolve("report.html"));
    assertThat(page)
        .contains("What is kept", "feed-forward absent", "Perplexity", "28.25", "Multipliers")
        .contains("local &lt;memory&gt;", "Reduction against its target");

    Files.writeString(run.resolve("evaluation.json"), "{\"perplexity\": 3}");
    assertThat(execute("report", run)).isEqualTo(3);
    assertThat(err).contains("evaluation.json", "perplexity");
    for (String name : List.of("plan.json", "evaluation.json", "pruning/metrics.jsonl")) {
      Files.delete(run.resolve(name));
    }
    Files.delete(pruning);
  }

  private static Object[] append(Object[] first, Object... more) {
    Object[] all = Arrays.copyOf(first, first.length + more.length);
    System.arraycopy(more, 0, all, first.length, more.length);
    return all;
  }

  private static Object[] concat(Object first, Object second, Object... more) {
    Object[] all = new Object[2 + more.length];
    all[0] = first;
    all[1] = second;
    System.arraycopy(more, 0, all, 2, more.length);
    return all;
  }

  private static void succeed(Object... arguments) {
    int exitCode = execute(arguments);
    assertThat(exitCode).as(err).isZero();
  }

  private static JsonNode json(Object... arguments) throws IOException {
    Object[] all = new Object[arguments.length + 1];
    System.arraycopy(arguments, 0, all, 0, arguments.length);
    all[arguments.length] = "--json";
    succeed(all);
    return MAPPER.readTree(out);
  }

  private static int execute(Object... arguments) {
    ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
    ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
    String[] texts = new String[arguments.length];
    for (int i = 0; i < texts.length; i++) {
      texts[i] = arguments[i].toString();
    }
    Surroundings surroundings =
        new Surroundings(
            new ByteArrayInputStream(new byte[0]),
            new PrintStream(outBytes, true, StandardCharsets.UTF_8),
            new PrintStream(errBytes, true, StandardCharsets.UTF_8),
            false,
            STORAGE,
            EngineWorkflows::new,
            null);
    int exitCode = Lathe.run(surroundings, texts);
    out = outBytes.toString(StandardCharsets.UTF_8);
    err = errBytes.toString(StandardCharsets.UTF_8);
    return exitCode;
  }
}
