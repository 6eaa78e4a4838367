package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code lathe benchmark memory} and {@code lathe export} with a store. */
class MemoryCommandsTest extends TinyRun {

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
}
