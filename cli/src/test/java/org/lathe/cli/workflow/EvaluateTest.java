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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.cli.Lathe;
import org.lathe.cli.Surroundings;
import org.lathe.training.files.LocalStorage;

/** {@code lathe evaluate} with every memory on a model that was hardly trained. */
class EvaluateTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  @TempDir static Path root;
  private static Path data;
  private static Path run;

  private static String out = "";
  private static String err = "";

  @BeforeAll
  static void prepareAndTrain() throws IOException {
    data = root.resolve("data");
    run = root.resolve("run");
    Path text = Files.writeString(root.resolve("text.txt"), documents(1));
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

  private static String documents(long seed) {
    Random random = new Random(seed);
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
  void everyMemoryAndAgainWithWhatWasTuned() throws IOException {
    String kinds = "none,local,long,knn,external";
    JsonNode tuned = evaluate("--memory", kinds, "--tune", "--explain", "2");
    JsonNode perplexity = tuned.path("perplexity");
    assertThat(perplexity).hasSize(5);
    for (String kind : kinds.split(",")) {
      assertThat(perplexity.path(kind).asDouble()).as(kind).isBetween(1.0, 1e4);
      JsonNode details = tuned.path("details").path(kind);
      assertThat(details.path("tokensPerSecond").asDouble()).isPositive();
      assertThat(details.path("buckets")).hasSize(5);
      assertThat(details.path("memoryShare").asDouble()).isBetween(0.0, 1.0);
    }
    // tuned on the text that is measured, with fewer memories among the candidates
    assertThat(perplexity.path("knn").asDouble())
        .isLessThanOrEqualTo(perplexity.path("none").asDouble() * (1 + 1e-6));
    assertThat(perplexity.path("external").asDouble())
        .isLessThanOrEqualTo(perplexity.path("long").asDouble() * (1 + 1e-4));
    JsonNode external = tuned.path("details").path("external");
    assertThat(external.path("bytesPerItem").asDouble()).isGreaterThan(8);
    assertThat(external.path("recall").path("1").asDouble())
        .isLessThanOrEqualTo(external.path("recall").path("4").asDouble());
    assertThat(tuned.at("/mixing/external/external/temperature").asDouble()).isPositive();
    explained(tuned.path("explanations"));

    JsonNode again = evaluate("--memory", kinds);
    for (String kind : kinds.split(",")) {
      assertThat(again.path("perplexity").path(kind).asDouble())
          .as(kind)
          .isCloseTo(perplexity.path(kind).asDouble(), within(1e-3));
    }
    assertThat(again.path("mixing")).isEqualTo(tuned.path("mixing"));
    assertThat(MAPPER.readTree(run.resolve("evaluation.json").toFile()).path("mixing"))
        .isEqualTo(tuned.path("mixing"));
    assertThat(run.resolve("evaluation.json.staging")).doesNotExist();
  }

  private static void explained(JsonNode explanations) {
    assertThat(explanations).hasSize(2);
    for (JsonNode one : explanations) {
      double share = one.path("memoryShare").asDouble();
      double documents = 0;
      for (JsonNode document : one.path("documents")) {
        documents += document.path("share").asDouble();
        assertThat(document.path("document").asText()).isNotEmpty();
        assertThat(document.path("memory").asText()).isIn("recent", "external");
      }
      assertThat(share).isBetween(0.0, 1.0);
      assertThat(documents).isPositive().isLessThanOrEqualTo(share + 1e-9);
      assertThat(one.path("target").asText()).isNotEmpty();
      assertThat(one.path("probability").asDouble()).isBetween(0.0, 1.0);
    }
    assertThat(explanations.get(0).path("memoryShare").asDouble())
        .isGreaterThanOrEqualTo(explanations.get(1).path("memoryShare").asDouble() - 1e-9);
  }

  /** Half of the searches, pointers instead, and what was tuned is used again for this alone. */
  @Test
  void fewerSearchesAndPointers() throws IOException {
    JsonNode plain = evaluate("--memory", "knn,external", "--tune");
    assertThat(plain.at("/details/knn/searchedShare").asDouble()).isEqualTo(1);
    assertThat(plain.at("/details/knn").has("pointerShare")).isFalse();
    Object[] adaptive = {
      "--memory",
      "knn,external",
      "--explain",
      "2",
      "--set",
      "evaluation.skipSearch=0.5",
      "--set",
      "evaluation.pointers=true",
      "--set",
      "evaluation.interpolation=best-score"
    };
    JsonNode first = evaluate(adaptive);
    for (String kind : new String[] {"knn", "external"}) {
      JsonNode details = first.path("details").path(kind);
      assertThat(details.path("searchedShare").asDouble()).isBetween(0.4, 0.6);
      assertThat(details.path("pointerShare").asDouble()).isBetween(0.2, 1.0);
      assertThat(first.path("perplexity").path(kind).asDouble())
          .isNotCloseTo(plain.path("perplexity").path(kind).asDouble(), within(1e-9));
      String slot = kind + "+best-score+skip 0.5+pointers";
      JsonNode mixing = first.path("mixing").path(slot);
      assertThat(mixing.path("search").path("skipAbove").asDouble()).isNegative();
      assertThat(mixing.path("search").path("pointers").asBoolean()).isTrue();
      assertThat(first.path("mixing").path(kind)).isEqualTo(plain.path("mixing").path(kind));
    }
    explained(first.path("explanations"));
    JsonNode again = evaluate(adaptive);
    assertThat(again.path("perplexity")).isEqualTo(first.path("perplexity"));
    assertThat(again.path("mixing")).isEqualTo(first.path("mixing"));
    JsonNode store = evaluate("--memory", "knn", "--set", "evaluation.skipSearch=0.9");
    assertThat(store.at("/details/knn/searchedShare").asDouble()).isBetween(0.05, 0.2);
    assertThat(execute("evaluate", run, "--set", "evaluation.skipSearch=1")).isEqualTo(2);
    assertThat(err).contains("evaluation.skipSearch is 1.0");
  }

  /** On the training text itself the nearest neighbour by distance would always be the answer. */
  @Test
  void theStoreNeverShowsTheAnswer() throws IOException {
    JsonNode facts =
        evaluate(
            "--split", "train", "--memory", "knn,external", "--set", "evaluation.maxTokens=400");
    assertThat(facts.at("/details/knn/recall/1").asDouble()).isLessThan(0.9);
    assertThat(facts.at("/details/external/recall/1").asDouble()).isLessThan(0.9);
  }

  @Test
  void growthOfTheStore() throws IOException {
    JsonNode facts = evaluate("--memory", "knn", "--store-fraction", "0.1,1", "--tune");
    assertThat(facts.path("perplexity")).hasSize(2);
    int all = facts.at("/details/knn/numItems").asInt();
    assertThat(facts.path("details").path("knn@10%").path("numItems").asInt())
        .isCloseTo(all / 10, within(1));
    assertThat(facts.path("mixing").has("knn@10%")).isTrue();
  }

  @Test
  void anotherCorpus() throws IOException {
    Path other = root.resolve("other");
    Path text = Files.writeString(root.resolve("other.txt"), documents(2));
    String sources = "data.sources=[" + text + "]";
    succeed(
        "prepare",
        "--preset",
        "tiny",
        "--set",
        sources,
        "--set",
        "data.tokenizerFrom=" + data,
        "--out",
        other);
    double own = evaluate("--memory", "local").at("/perplexity/local").asDouble();
    JsonNode facts = evaluate("--memory", "local,external", "--data", other);
    assertThat(facts.path("data").asText()).isEqualTo(other.toString());
    assertThat(facts.at("/perplexity/local").asDouble()).isNotCloseTo(own, within(1e-9));
    assertThat(run.resolve("evaluation-other.json")).exists();
    Path store = root.resolve("other-store");
    succeed("datastore", "build", run, "--data", other, "--out", store);
    JsonNode retrieved = evaluate("--memory", "knn", "--data", other, "--store", store, "--tune");
    assertThat(retrieved.at("/details/knn/numItems").asInt()).isPositive();

    Path foreign = root.resolve("foreign");
    succeed(
        "prepare",
        "--preset",
        "tiny",
        "--set",
        sources,
        "--set",
        "data.tokenizer=word",
        "--out",
        foreign);
    assertThat(execute("evaluate", run, "--data", foreign)).isNotZero();
    assertThat(err).contains("tokenizer", "data.tokenizerFrom=" + data);
    Path none = root.resolve("none");
    assertThat(execute("datastore", "build", run, "--data", foreign, "--out", none)).isEqualTo(3);
    assertThat(err).contains("tokenizer", "data.tokenizerFrom=" + data);
    assertThat(none).doesNotExist();
  }

  /**
   * Same answers as from the training text in memory; an index is kept, and goes with a removal.
   */
  @Test
  void aStoreOnDisk() throws IOException {
    Path store = root.resolve("store");
    succeed("datastore", "build", run, "--out", store);
    double exact = evaluate("--memory", "knn", "--tune").at("/perplexity/knn").asDouble();
    JsonNode facts = evaluate("--memory", "knn", "--store", store, "--tune");
    assertThat(facts.path("store").asText()).isEqualTo(store.toString());
    // its keys are float16
    assertThat(facts.at("/perplexity/knn").asDouble()).isCloseTo(exact, within(0.01 * exact));

    Object[] indexed = {
      "--memory",
      "knn",
      "--store",
      store,
      "--tune",
      "--set",
      "evaluation.index=ivf",
      "--set",
      "evaluation.probes=1000"
    };
    double all = evaluate(indexed).at("/perplexity/knn").asDouble();
    assertThat(all).isCloseTo(facts.at("/perplexity/knn").asDouble(), within(1e-3 * exact));
    assertThat(store.resolve("index-squared_l2")).exists();
    assertThat(evaluate(indexed).at("/perplexity/knn").asDouble()).isEqualTo(all);
    succeed("datastore", "verify", store);

    succeed("datastore", "remove", store, "--pattern", "*#1");
    assertThat(store.resolve("index-squared_l2")).doesNotExist();
    JsonNode pointed =
        evaluate(
            "--memory",
            "knn",
            "--store",
            store,
            "--set",
            "evaluation.pointers=true",
            "--set",
            "evaluation.skipSearch=0.7");
    assertThat(pointed.at("/details/knn/pointerShare").asDouble()).isPositive();
    int left = evaluate(indexed).at("/details/knn/numItems").asInt();
    assertThat(left).isLessThan(facts.at("/details/knn/numItems").asInt());
  }

  /** The same work as above finds the same; an index of which all is read loses nothing. */
  @Test
  void benchmarkOfMemories() throws IOException {
    Path store = root.resolve("timed-store");
    succeed("datastore", "build", run, "--out", store);
    String kinds = "local,long,knn,external";
    Object[] options = {
      "--split", "valid", "--memory", kinds, "--store", store, "--set", "evaluation.neighbors=8"
    };
    JsonNode expected =
        evaluate(concat(options, "--tune", "--set", "evaluation.maxTokens=300")).path("perplexity");
    Object[] timed = concat(options, "--tokens", 300, "--repeats", 2);
    JsonNode facts = benchmark(concat(timed, "--set", "evaluation.probes=1000"));
    JsonNode memories = facts.path("memories");
    assertThat(memories.fieldNames())
        .toIterable()
        .containsExactly("none", "local", "long", "knn", "knn-ivf", "external", "external-ivf");
    assertThat(facts.path("tokens").asInt()).isEqualTo(299);
    assertThat(memories.at("/none/ratio").asDouble()).isEqualTo(1);
    for (JsonNode memory : memories) {
      assertThat(memory.path("tokensPerSecond").asDouble())
          .isCloseTo(299e3 / memory.path("totalMs").asDouble(), within(1e-6));
      assertThat(memory.path("ratio").asDouble())
          .isBetween(memory.path("ratioLow").asDouble(), memory.path("ratioHigh").asDouble());
      assertThat(memory.path("scoringMs").asDouble())
          .isBetween(0.0, memory.path("totalMs").asDouble() - memory.path("searchMs").asDouble());
    }
    for (String kind : kinds.split(",")) {
      assertThat(memories.path(kind).path("perplexity")).isEqualTo(expected.path(kind));
      assertThat(memories.path(kind).path("tuned").asBoolean()).isTrue();
    }
    for (String kind : new String[] {"knn", "external"}) {
      JsonNode exact = memories.path(kind);
      JsonNode index = memories.path(kind + "-ivf");
      assertThat(index.path("recallOfExact").asDouble()).isGreaterThan(0.99);
      assertThat(index.path("perplexity").asDouble())
          .isCloseTo(exact.path("perplexity").asDouble(), within(1e-3));
      assertThat(index.path("bytesPerItem").asDouble())
          .isGreaterThan(exact.path("bytesPerItem").asDouble() + 4);
      assertThat(exact.has("recallOfExact")).isFalse();
    }
    JsonNode external = memories.path("external-ivf");
    assertThat(external.path("shareOfGain").asDouble()).isCloseTo(1, within(0.02));

    JsonNode narrow = benchmark(concat(timed, "--set", "evaluation.probes=1"));
    JsonNode less = narrow.at("/memories/external-ivf");
    assertThat(less.path("recallOfExact").asDouble()).isBetween(0.05, 0.95);
    double none = Math.log(narrow.at("/memories/none/perplexity").asDouble());
    double exact = Math.log(narrow.at("/memories/external/perplexity").asDouble());
    assertThat(less.path("shareOfGain").asDouble())
        .isCloseTo(
            (none - Math.log(less.path("perplexity").asDouble())) / (none - exact), within(1e-9));
  }

  /** Without a store the training text is searched, and indexed in memory. */
  @Test
  void benchmarkOfTheTrainingText() throws IOException {
    Object[] options = {"--split", "train", "--memory", "knn", "--set", "evaluation.probes=1000"};
    JsonNode expected = evaluate(concat(options, "--tune", "--set", "evaluation.maxTokens=200"));
    JsonNode facts = benchmark(concat(options, "--tokens", 200, "--repeats", 1));
    JsonNode exact = facts.at("/memories/knn");
    JsonNode index = facts.at("/memories/knn-ivf");
    // no position finds itself
    assertThat(exact.path("perplexity")).isEqualTo(expected.at("/perplexity/knn"));
    assertThat(index.path("recallOfExact").asDouble()).isGreaterThan(0.99);
    assertThat(index.path("bytesPerItem").asDouble())
        .isGreaterThan(exact.path("bytesPerItem").asDouble() + 4);
    JsonNode indexed = evaluate(concat(options, "--set", "evaluation.index=ivf"));
    assertThat(indexed.at("/details/knn/bytesPerItem")).isEqualTo(index.path("bytesPerItem"));
  }

  private static JsonNode benchmark(Object... options) throws IOException {
    Object[] first = {"benchmark", "memory", run, "--json"};
    succeed(concat(first, options));
    return MAPPER.readTree(out);
  }

  private static Object[] concat(Object[] first, Object... second) {
    Object[] all = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, all, first.length, second.length);
    return all;
  }

  /** The served model takes search and mixing from the configuration and from what was tuned. */
  @Test
  void exportWithAStore() throws IOException {
    Path store = root.resolve("exported-store");
    Path models = root.resolve("models").resolve("memory");
    succeed("datastore", "build", run, "--out", store);
    JsonNode evaluated = evaluate("--memory", "external", "--store", store, "--tune");
    succeed("export", run, "--out", models, "--store", store, "--dry-run");
    assertThat(models).doesNotExist();

    String[] settings = {"evaluation.index=ivf", "evaluation.probes=3", "evaluation.encoding=int8"};
    JsonNode exported = export(models, store, settings);
    JsonNode retrieval = exported.path("retrieval");
    assertThat(retrieval.path("index").asText()).isEqualTo("ivf");
    assertThat(retrieval.path("probes").asInt()).isEqualTo(3);
    assertThat(retrieval.path("encoding").asText()).isEqualTo("int8");
    assertThat(retrieval.path("numItems").asInt())
        .isEqualTo(evaluated.at("/details/external/numItems").asInt());
    JsonNode mixing = evaluated.at("/mixing/external");
    assertThat(retrieval.at("/mixing/tuned").asBoolean()).isTrue();
    assertThat(retrieval.at("/mixing/temperature").asDouble())
        .isEqualTo(mixing.path("temperature").asDouble());
    assertThat(retrieval.at("/mixing/externalInterpolation").asDouble())
        .isEqualTo(mixing.at("/external/interpolation").asDouble());
    assertThat(exported.path("maxDifference").asDouble()).isBetween(0.0, 1e-4);

    assertThat(export(models, store, new String[0]).at("/retrieval/index").asText())
        .isEqualTo("exact");
    succeed("verify", models);
    assertThat(out).contains("retrieval: ").contains("is sound");
    succeed("predict", models.resolve("1"), "--prompt", "int value", "--tokens", "3");

    Path other = root.resolve("other-run");
    succeed(
        "train",
        "--preset",
        "tiny",
        "--set",
        "data.directory=" + data,
        "--set",
        "training.steps=3",
        "--run",
        other);
    assertThat(execute("export", other, "--out", models, "--store", store)).isEqualTo(3);
    assertThat(err).contains("holds keys of a model with fingerprint").contains(other.toString());

    succeed("datastore", "remove", store, "--pattern", "*");
    assertThat(execute("export", run, "--out", models, "--store", store)).isEqualTo(1);
    assertThat(err).contains("has no items left");
    assertThat(execute("export", run, "--out", models, "--store", data)).isEqualTo(3);
    assertThat(models.resolve("3")).doesNotExist();
  }

  private static JsonNode export(Path models, Path store, String[] settings) throws IOException {
    List<Object> arguments =
        new ArrayList<>(List.of("export", run, "--out", models, "--store", store, "--json"));
    for (String setting : settings) {
      arguments.addAll(List.of("--set", setting));
    }
    succeed(arguments.toArray());
    return MAPPER.readTree(out);
  }

  @Test
  void refusals() {
    assertThat(execute("evaluate", run, "--memory", "local", "--store", data)).isEqualTo(2);
    assertThat(err).contains("--store is used by");
    assertThat(execute("evaluate", run, "--memory", "knn", "--store-fraction", "0")).isEqualTo(2);
    assertThat(err).contains("--store-fraction is 0.0");
    assertThat(execute("evaluate", run, "--memory", "none", "--explain", "1")).isEqualTo(2);
    assertThat(err).contains("--explain needs");
    assertThat(execute("evaluate", run, "--data", root.resolve("absent"))).isEqualTo(2);
    assertThat(err).contains("no prepared data");
  }

  private static JsonNode evaluate(Object... options) throws IOException {
    Object[] all = new Object[options.length + 3];
    all[0] = "evaluate";
    all[1] = run;
    System.arraycopy(options, 0, all, 2, options.length);
    all[all.length - 1] = "--json";
    succeed(all);
    return MAPPER.readTree(out);
  }

  private static void succeed(Object... arguments) {
    int exitCode = execute(arguments);
    assertThat(exitCode).as(err).isZero();
  }

  private static int execute(Object... arguments) {
    ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
    ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
    String[] texts = new String[arguments.length];
    for (int i = 0; i < texts.length; i++) {
      texts[i] = arguments[i].toString();
    }
    int exitCode =
        Lathe.run(
            new Surroundings(
                new ByteArrayInputStream(new byte[0]),
                new PrintStream(outBytes, true, StandardCharsets.UTF_8),
                new PrintStream(errBytes, true, StandardCharsets.UTF_8),
                false,
                LocalStorage.INSTANCE,
                EngineWorkflows::new,
                null),
            texts);
    out = outBytes.toString(StandardCharsets.UTF_8);
    err = errBytes.toString(StandardCharsets.UTF_8);
    return exitCode;
  }
}
