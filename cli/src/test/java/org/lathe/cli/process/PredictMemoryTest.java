package org.lathe.cli.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.training.data.PreparedData;
import org.lathe.training.files.LocalStorage;

/** {@code lathe predict} with a store, explained, with the byte model of a run of ten steps. */
class PredictMemoryTest {
  private static final String SECRET = "the secret is w3 w4 w5 w3 w29";
  private static final String PLAIN = "w1 w2 w1 w2 w17 w1 w2";
  private static final String PROMPT = "secret is ";

  /** More than the store has items. */
  private static final String ALL_NEIGHBORS = "evaluation.neighbors=64";

  private static final int MAX_POSITIONS = 16;

  @TempDir static Path root;
  private static TrainingProcess training;
  private static Path run;
  private static Path secret;
  private static Path plain;

  @BeforeAll
  static void train() throws IOException {
    training = new TrainingProcess(root, 10, 10);
    run = training.run("run");
    secret = Files.writeString(root.resolve("secret.txt"), SECRET);
    plain = Files.writeString(root.resolve("plain.txt"), PLAIN);
    succeed("train", training.config(), "--run", run);
  }

  private static InProcess lathe(Object... arguments) {
    return InProcess.run(Arrays.stream(arguments).map(Object::toString).toArray(String[]::new));
  }

  private static InProcess succeed(Object... arguments) {
    InProcess done = lathe(arguments);
    assertThat(done.exitCode()).as(done.toString()).isZero();
    return done;
  }

  private static JsonNode json(Object... arguments) throws IOException {
    Object[] all = Arrays.copyOf(arguments, arguments.length + 1);
    all[arguments.length] = "--json";
    return new ObjectMapper().readTree(succeed(all).out());
  }

  private static Path store(Path ofRun, String name) {
    Path store = root.resolve(name);
    succeed("datastore", "build", ofRun, "--out", store, "--text", plain);
    succeed("datastore", "add", store, ofRun, "--text", secret);
    return store;
  }

  private static void refused(int exitCode, String message, Object... arguments) {
    InProcess done = lathe(arguments);
    assertThat(done.exitCode()).as(done.toString()).isEqualTo(exitCode);
    assertThat(done.err().toString()).contains(message);
  }

  @Test
  void tokensOweTheirPartsToNamedDocumentsAndNothingToRemovedOnes() throws IOException {
    Path store = store(run, "store");
    Object[] predict = {
      "predict",
      run,
      "--store",
      store,
      "--prompt",
      PROMPT,
      "--tokens",
      12,
      "--explain",
      64,
      "--set",
      ALL_NEIGHBORS
    };
    JsonNode facts = json(predict);
    assertThat(facts.path("store").asText()).isEqualTo(store.toString());
    assertThat(facts.path("numItems").asInt()).isEqualTo(SECRET.length() + PLAIN.length() - 2);
    assertThat(documents(facts)).contains("secret.txt", "plain.txt", "prompt");

    InProcess told = succeed(predict);
    assertThat(told.out())
        .startsWith(PROMPT)
        .contains("vocabulary 0.")
        .containsPattern("external  secret\\.txt, position \\d+: \\.\\.\\.\"")
        .containsPattern("local     prompt, position \\d+: ");

    succeed("datastore", "remove", store, "secret.txt");
    JsonNode left = json(predict);
    assertThat(left.path("numItems").asInt()).isEqualTo(PLAIN.length() - 1);
    assertThat(documents(left)).containsExactlyInAnyOrder("plain.txt", "prompt");
    assertThat(succeed(predict).out()).doesNotContain("secret.txt");
    // an index beside the store knows the removed items by their old numbers
    Object[] indexed = Arrays.copyOf(predict, predict.length + 4);
    indexed[predict.length] = "--set";
    indexed[predict.length + 1] = "evaluation.index=ivf";
    indexed[predict.length + 2] = "--set";
    indexed[predict.length + 3] = "evaluation.probes=1000";
    assertThat(documents(json(indexed))).containsExactlyInAnyOrder("plain.txt", "prompt");

    succeed("datastore", "remove", store, "plain.txt");
    refused(1, "no items left", predict);
  }

  /** Checks every explanation against the texts and gives the names of all documents. */
  private static Set<String> documents(JsonNode facts) {
    JsonNode prediction = facts.path("predictions").path(0);
    String text = prediction.path("prompt").asText() + prediction.path("completion").asText();
    JsonNode explanations = prediction.path("explanations");
    assertThat(explanations).hasSize(prediction.path("tokens").size());
    int promptLength = prediction.path("prompt").asText().length();
    Set<String> documents = new HashSet<>();
    for (int i = 0; i < explanations.size(); i++) {
      JsonNode one = explanations.get(i);
      int end = promptLength + i;
      assertThat(one.path("token").asText()).isEqualTo(text.substring(end, end + 1));
      assertThat(Math.log(one.path("probability").asDouble()))
          .isCloseTo(prediction.path("logProbabilities").path(i).asDouble(), within(1e-4));
      JsonNode shares = one.path("shares");
      double local = 0;
      double external = 0;
      for (JsonNode item : one.path("items")) {
        assertThat(item.path("token")).isEqualTo(one.path("token"));
        String document = item.path("document").asText();
        double share = item.path("share").asDouble();
        boolean own = item.path("memory").asText().equals("local");
        local += own ? share : 0;
        external += own ? 0 : share;
        itemIsInItsText(item, own ? text.substring(0, end) : document(document), own ? 0 : 1);
        if (own) {
          assertThat(document).isEqualTo("prompt");
          assertThat(item.path("position").asInt()).isBetween(end - MAX_POSITIONS, end - 2);
        }
        documents.add(document);
      }
      // all items are asked for
      assertThat(local).isCloseTo(shares.path("local").asDouble(), within(1e-6));
      assertThat(external).isCloseTo(shares.path("external").asDouble(), within(1e-6));
      assertThat(local + external + shares.path("vocabulary").asDouble())
          .isCloseTo(1, within(1e-6));
    }
    return documents;
  }

  private static String document(String name) {
    return name.equals("secret.txt") ? SECRET : PLAIN;
  }

  private static void itemIsInItsText(JsonNode item, String text, int firstKnown) {
    int at = item.path("position").asInt() + 1;
    assertThat(item.path("token").asText()).isEqualTo(text.substring(at, at + 1));
    assertThat(item.path("before").asText())
        .isEqualTo(text.substring(Math.max(firstKnown, at - 8), at));
    assertThat(item.path("after").asText())
        .isEqualTo(text.substring(at + 1, Math.min(text.length(), at + 9)));
  }

  /** Where the likeliest token is the right one, evaluation has measured its probability. */
  @Test
  void mixesAsEvaluationDoesAndAsItWasTuned() throws IOException {
    Path own = training.run("tuned");
    succeed("train", training.config(), "--run", own);
    Path store = store(own, "tuned-store");
    Object[] options = {"--store", store, "--set", "evaluation.neighbors=5"};
    InProcess untuned = succeed(predict(own, options, "w1 w"));
    assertThat(untuned.err().toString()).contains("never tuned", "--memory external");

    json(evaluate(own, options, "--tune", "--set", "evaluation.maxTokens=400"));
    int numTokens = MAX_POSITIONS - 1;
    JsonNode measured =
        json(evaluate(own, options, "--explain", 99, "--set", "evaluation.maxTokens=" + numTokens));
    assertThat(measured.path("explanations")).hasSize(numTokens - 1);
    InProcess tuned = succeed(predict(own, options, "w1 w"));
    assertThat(tuned.err().toString()).doesNotContain("never tuned");
    List<String> prompts = new ArrayList<>();
    for (JsonNode one : measured.path("explanations")) {
      prompts.add(beginningOfValidation(own, one.path("position").asInt() + 1));
    }
    JsonNode facts = json(predict(own, options, prompts.toArray(String[]::new)));
    assertThat(facts.path("mixing")).isEqualTo(measured.at("/mixing/external"));
    int numCompared = 0;
    for (int i = 0; i < prompts.size(); i++) {
      JsonNode expected = measured.path("explanations").path(i);
      JsonNode found = facts.path("predictions").path(i);
      if (found.path("completion").equals(expected.path("target"))) {
        assertThat(Math.exp(found.path("logProbabilities").path(0).asDouble()))
            .as(prompts.get(i))
            .isCloseTo(expected.path("probability").asDouble(), within(1e-4));
        numCompared++;
      }
    }
    assertThat(numCompared).isPositive();
  }

  private static Object[] predict(Path ofRun, Object[] options, String... prompts) {
    Object[] all = concat(new Object[] {"predict", ofRun, "--tokens", 1}, options);
    for (String prompt : prompts) {
      all = concat(all, new Object[] {"--prompt", prompt});
    }
    return all;
  }

  private static Object[] evaluate(Path ofRun, Object[] options, Object... more) {
    return concat(concat(new Object[] {"evaluate", ofRun, "--memory", "external"}, options), more);
  }

  private static Object[] concat(Object[] first, Object[] second) {
    Object[] all = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, all, first.length, second.length);
    return all;
  }

  private static String beginningOfValidation(Path ofRun, int numTokens) throws IOException {
    String directory =
        new ObjectMapper()
            .readTree(ofRun.resolve("run.json").toFile())
            .findValue("dataDirectory")
            .asText();
    try (PreparedData data = PreparedData.open(LocalStorage.INSTANCE, Path.of(directory))) {
      int[] tokens = new int[numTokens];
      data.valid().read(0, tokens, 0, numTokens);
      return data.tokenizer().decode(tokens);
    }
  }

  /** Two texts: nothing but the position tells which one is meant. */
  @Test
  void documentsOfTheSameNameAreNoticed() throws IOException {
    // evaluation leaves a mixing in the run
    Path own = training.run("noticing");
    succeed("train", training.config(), "--run", own);
    Path store = store(own, "noticed");
    Path other = Files.createDirectory(root.resolve("other")).resolve("secret.txt");
    Files.writeString(other, SECRET.replace("w5", "w6"));
    Object[] predict =
        predict(own, new Object[] {"--store", store, "--set", ALL_NEIGHBORS}, PROMPT, PLAIN);
    Object[] explained = concat(predict, new Object[] {"--explain", 99});
    Object[] evaluate =
        evaluate(
            own,
            new Object[] {"--store", store, "--set", "evaluation.maxTokens=60", "--set"},
            ALL_NEIGHBORS,
            "--explain",
            20);
    assertThat(succeed(explained).err().toString()).doesNotContain("different");
    assertThat(succeed(evaluate).err().toString()).doesNotContain("different");
    succeed("datastore", "add", store, own, "--text", other);
    String twice = "2 different external documents are named \"secret.txt\"";
    assertThat(succeed(explained).err()).filteredOn(line -> line.contains(twice)).hasSize(1);
    assertThat(succeed(evaluate).err()).filteredOn(line -> line.contains(twice)).hasSize(1);
  }

  /** Further than the model's window reaches. */
  @Test
  void localMemoryAlone() throws IOException {
    JsonNode facts = json("predict", run, "--prompt", PROMPT, "--tokens", 20, "--explain", 64);
    assertThat(facts.has("store")).isFalse();
    assertThat(documents(facts)).containsExactly("prompt");
  }

  @Test
  void aModelWithoutMemoryAsksNearestNeighboursByDistance() throws IOException {
    Path vanilla = training.run("vanilla");
    succeed(
        "train",
        training.config(),
        "--run",
        vanilla,
        "--set",
        "memory.objective=none",
        "--set",
        "memory.dropLocal=0");
    Object[] predict = {"predict", vanilla, "--prompt", PROMPT, "--tokens", 2, "--explain", 64};
    refused(2, "was trained without memory", predict);
    Path store = store(vanilla, "vanilla-store");
    JsonNode facts = json(concat(predict, new Object[] {"--store", store, "--set", ALL_NEIGHBORS}));
    assertThat(facts.at("/mixing/external/interpolation").asDouble()).isEqualTo(0.25);
    assertThat(facts.at("/mixing/external/temperature").asDouble())
        .isCloseTo(0.5 / Math.sqrt(8), within(1e-9));
    for (JsonNode one : facts.at("/predictions/0/explanations")) {
      assertThat(one.at("/shares/local").asDouble()).isZero();
    }
    documents(facts);
    refused(3, "fingerprint", "predict", run, "--prompt", "a", "--store", store);
  }

  @Test
  void refusals() {
    Path absent = root.resolve("absent");
    refused(2, "lathe datastore build", "predict", run, "--prompt", "a", "--store", absent);
    refused(3, "is not a datastore", "predict", run, "--prompt", "a", "--store", root);
    refused(2, "--explain is -1", "predict", run, "--prompt", "a", "--explain", -1);
  }
}
