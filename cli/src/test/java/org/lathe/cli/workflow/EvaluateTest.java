package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** {@code lathe evaluate} with every memory on a model that was hardly trained. */
class EvaluateTest extends TinyRun {

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
  void aDryRunScoresAndWritesNothing() throws IOException {
    evaluate("--memory", "local", "--tune");
    Path file = run.resolve("evaluation.json");
    byte[] before = Files.readAllBytes(file);
    JsonNode facts = evaluate("--memory", "none,local", "--tune", "--dry-run");
    assertThat(facts.path("tokens").asInt()).isPositive();
    assertThat(facts.path("memories")).hasSize(2);
    assertThat(facts.has("perplexity")).isFalse();
    assertThat(Files.readAllBytes(file)).isEqualTo(before);
    Object[] elsewhere = {"evaluate", run, "--memory", "external", "--store", data, "--dry-run"};
    assertThat(execute(elsewhere)).isEqualTo(3);
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

    JsonNode whole = facts.at("/details/knn");
    JsonNode tenth =
        evaluate("--memory", "knn", "--store", store, "--store-fraction", "0.1", "--tune")
            .path("details")
            .path("knn@10%");
    assertThat(tenth.path("numItems").asDouble())
        .isCloseTo(whole.path("numItems").asDouble() / 10, within(1.0));
    assertThat(tenth.path("bytesPerItem").asDouble())
        .isCloseTo(whole.path("bytesPerItem").asDouble(), within(0.1));

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
}
