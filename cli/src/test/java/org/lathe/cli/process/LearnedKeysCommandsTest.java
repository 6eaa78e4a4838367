package org.lathe.cli.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code --set memory.keySize=4} on a model of width 8, through every command after training. */
class LearnedKeysCommandsTest {
  private static final int HIDDEN_SIZE = 8;
  private static final int KEY_SIZE = 4;

  @TempDir static Path root;
  private static TrainingProcess training;
  private static Path run;
  private static InProcess trained;

  @BeforeAll
  static void train() throws IOException {
    training = new TrainingProcess(root, 10, 10);
    run = training.run("run");
    trained = lathe("train", training.config(), "--run", run, "--set", keySize(KEY_SIZE));
    assertThat(trained.exitCode()).as(trained.toString()).isZero();
  }

  private static String keySize(int size) {
    return "memory.keySize=" + size;
  }

  @Test
  void trainingAnnouncesKeysAndCountsTheirParameters() throws IOException {
    assertThat(trained.err()).anyMatch(line -> line.contains("with keys of 4 dimensions"));
    long with = parameters(KEY_SIZE);
    long without = parameters(0);
    assertThat(with - without).isEqualTo(HIDDEN_SIZE * KEY_SIZE + 2 * KEY_SIZE);
    assertThat(trained.err())
        .anyMatch(line -> line.contains(String.format("%,d parameters", with)));
  }

  private static long parameters(int keySize) throws IOException {
    return json(
            "train",
            training.config(),
            "--run",
            root.resolve("planned"),
            "--dry-run",
            "--set",
            keySize(keySize))
        .path("parameters")
        .asLong();
  }

  @Test
  void storesHoldNarrowKeysAndFitTheirModelOnly() throws IOException {
    Path store = root.resolve("store");
    json("datastore", "build", run, "--out", store);
    assertThat(json("datastore", "info", store).path("width").asInt()).isEqualTo(KEY_SIZE);
    JsonNode facts =
        json("evaluate", run, "--memory", "local,long,knn,external", "--store", store, "--tune");
    assertThat(facts.path("perplexity")).hasSize(4);
    facts.path("perplexity").forEach(found -> assertThat(found.asDouble()).isBetween(1.0, 1e4));

    Path other = training.run("other");
    assertThat(lathe("train", training.config(), "--run", other, "--set", keySize(2)).exitCode())
        .isZero();
    for (InProcess refused :
        new InProcess[] {
          lathe("evaluate", other, "--memory", "knn", "--store", store),
          lathe("datastore", "add", store, other)
        }) {
      assertThat(refused.exitCode()).as(refused.toString()).isEqualTo(3);
      assertThat(refused.err().toString())
          .contains("fingerprint", "lathe datastore build " + other);
    }
  }

  @Test
  void anExportAnswersAsItsRun() throws IOException {
    assertExported(run, "full");
  }

  /** The hidden size shrinks, the keys do not; the memory is the teacher's, whatever was asked. */
  @Test
  void pruningKeepsTheKeys() throws IOException {
    Path slim = root.resolve("slim");
    JsonNode pruned =
        json(
            "prune",
            training.config(),
            "--teacher",
            run,
            "--run",
            slim,
            "--set",
            "memory.objective=none",
            "--set",
            "memory.dropLocal=0",
            "--set",
            "pruning.target.sparsity=0.5",
            "--set",
            "pruning.steps=6",
            "--set",
            "pruning.finetuneSteps=2",
            "--set",
            "pruning.roundTo=1");
    assertThat(pruned.path("sparsity").asDouble()).isBetween(0.4, 1.0);
    JsonNode memory = new ObjectMapper().readTree(slim.resolve("run.json").toFile());
    assertThat(memory.at("/content/config/memory/objective").asText()).isEqualTo("external");
    JsonNode facts = json("evaluate", slim, "--memory", "local,knn");
    assertThat(facts.at("/perplexity/local").asDouble()).isBetween(1.0, 1e4);
    Path store = root.resolve("slim-store");
    json("datastore", "build", slim, "--out", store);
    assertThat(json("datastore", "info", store).path("width").asInt()).isEqualTo(KEY_SIZE);
    assertExported(slim, "slim");
  }

  private static void assertExported(Path of, String name) throws IOException {
    Path base = root.resolve("models").resolve(name);
    assertThat(json("export", of, "--out", base).path("maxDifference").asDouble())
        .isBetween(0.0, 1e-4);
    json("verify", base);
    Object[] prompt = {"--prompt", "w1 w2 w1 w", "--tokens", 3};
    assertThat(tokens(base, prompt)).hasSize(3).isEqualTo(tokens(of, prompt));
  }

  private static JsonNode tokens(Path model, Object... prompt) throws IOException {
    Object[] all = new Object[prompt.length + 2];
    all[0] = "predict";
    all[1] = model;
    System.arraycopy(prompt, 0, all, 2, prompt.length);
    return json(all).at("/predictions/0/tokens");
  }

  private static InProcess lathe(Object... arguments) {
    return InProcess.run(Arrays.stream(arguments).map(Object::toString).toArray(String[]::new));
  }

  private static JsonNode json(Object... arguments) throws IOException {
    Object[] all = Arrays.copyOf(arguments, arguments.length + 1);
    all[arguments.length] = "--json";
    InProcess done = lathe(all);
    assertThat(done.exitCode()).as(done.toString()).isZero();
    return new ObjectMapper().readTree(done.out());
  }
}
