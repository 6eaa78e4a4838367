package org.lathe.cli.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code lathe datastore} as a person types it, with the model of a run of ten steps. */
class DatastoreCommandsTest {
  private static final int MAX_STOP_S = 10;

  /** Long enough to be stopped on the way, in two chunks. */
  private static final int LONG_TEXT_BYTES = 2_500_000;

  @TempDir static Path root;
  private static TrainingProcess training;
  private static Path run;

  @BeforeAll
  static void train() throws IOException {
    training = new TrainingProcess(root, 10, 10);
    run = training.run("run");
    InProcess trained = InProcess.run(training.arguments(run));
    assertThat(trained.exitCode()).as(trained.toString()).isZero();
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

  @Test
  void buildAddRemoveCompactInfoVerify() throws IOException {
    Path store = root.resolve("store");
    JsonNode planned = json("datastore", "build", run, "--out", store, "--dry-run");
    assertThat(store).doesNotExist();
    assertThat(planned.path("seconds").asDouble()).isPositive();

    InProcess built = lathe("datastore", "build", run, "--out", store);
    assertThat(built.exitCode()).as(built.toString()).isZero();
    assertThat(built.err()).anyMatch(line -> line.contains("on disk") && line.contains("encode"));
    JsonNode info = json("datastore", "info", store, "--documents");
    assertThat(info.path("items")).isEqualTo(planned.path("items"));
    assertThat(info.path("documentList")).hasSize(planned.path("documents").asInt());
    assertThat(info.path("metric").asText()).isEqualTo("inner_product");
    double ratio = planned.path("sizeBytes").asDouble() / info.path("sizeBytes").asDouble();
    assertThat(ratio).isBetween(0.95, 1.05);
    assertThat(json("datastore", "build", run, "--out", store).path("ending").asText())
        .isEqualTo("already-there");

    Path notes = Files.writeString(root.resolve("notes.txt"), "the secret is w3 w4 w5 w3");
    JsonNode added = json("datastore", "add", store, run, "--text", notes);
    assertThat(added.path("items").asInt()).isEqualTo(info.path("items").asInt() + 24);
    assertThat(json("datastore", "verify", store).path("parts").asInt()).isEqualTo(2);

    assertThat(lathe("datastore", "remove", store, "notes.txt", "notez.txt"))
        .satisfies(refused -> assertThat(refused.exitCode()).isEqualTo(2))
        .satisfies(refused -> assertThat(refused.err().toString()).contains("'notez.txt'"));
    JsonNode would = json("datastore", "remove", store, "--pattern", "notes*", "--dry-run");
    assertThat(would.path("removed").path(0).asText()).isEqualTo("notes.txt");
    assertThat(json("datastore", "info", store).path("removedItems").asInt()).isZero();
    json("datastore", "remove", store, "notes.txt");
    assertThat(json("datastore", "info", store).path("removedItems").asInt()).isEqualTo(24);
    assertThat(json("datastore", "compact", store, "--dry-run").path("removedItems").asInt())
        .isEqualTo(24);
    assertThat(json("datastore", "compact", store).path("removedItems").asInt()).isEqualTo(24);
    JsonNode compacted = json("datastore", "verify", store);
    assertThat(compacted.path("items")).isEqualTo(info.path("items"));
    assertThat(compacted.path("sizeBytes").asLong())
        .isBetween(info.path("sizeBytes").asLong() - 10, info.path("sizeBytes").asLong() + 10);

    Path other = training.run("other");
    assertThat(lathe("train", training.config(), "--run", other, "--seed", 8).exitCode()).isZero();
    InProcess refused = lathe("datastore", "add", store, other, "--text", notes);
    assertThat(refused.exitCode()).isEqualTo(3);
    assertThat(refused.err().toString()).contains("fingerprint", "lathe datastore build " + other);

    flipABit(store);
    InProcess damaged = lathe("datastore", "verify", store);
    assertThat(damaged.exitCode()).isEqualTo(3);
    assertThat(damaged.err().toString()).contains("segment-00000000 is damaged");
  }

  private static void flipABit(Path store) throws IOException {
    Path segment = store.resolve("part-000001/segment-00000000");
    byte[] bytes = Files.readAllBytes(segment);
    bytes[bytes.length / 3] ^= 4;
    Files.write(segment, bytes);
  }

  @Test
  void documentsOnTheirOwnGiveOtherKeysOfTheSameItems() throws IOException {
    Path store = root.resolve("separate");
    JsonNode separate =
        json(
            "datastore",
            "build",
            run,
            "--out",
            store,
            "--split",
            "valid",
            "--separate-documents",
            "--set",
            "evaluation.storeTokens=1500");
    assertThat(separate.path("separateDocuments").asBoolean()).isTrue();
    int documents = separate.path("documents").asInt();
    assertThat(documents).isGreaterThan(1);
    assertThat(separate.path("items").asInt()).isEqualTo(1500 - documents);
  }

  @Test
  void badInputLeavesNothingBehind() throws IOException {
    Path store = root.resolve("never");
    Path text = Files.write(root.resolve("latin1.txt"), new byte[] {'a', (byte) 0xE9, 'b'});
    InProcess refused = lathe("datastore", "build", run, "--out", store, "--text", text);
    assertThat(refused.exitCode()).isEqualTo(3);
    assertThat(refused.err().toString()).contains("not UTF-8");
    Files.writeString(text, "x");
    assertThat(lathe("datastore", "build", run, "--out", store, "--text", text).exitCode())
        .isEqualTo(2);
    List<Object[]> usage =
        List.of(
            new Object[] {"datastore"},
            new Object[] {"datastore", "info", store},
            new Object[] {"datastore", "build", run, "--out", store, "--split", "dev"},
            new Object[] {"datastore", "build", run, "--out", store, "--text", "nowhere"},
            new Object[] {
              "datastore", "build", run, "--out", store, "--set", "evaluation.window=17"
            },
            new Object[] {"datastore", "remove", root});
    for (Object[] arguments : usage) {
      assertThat(lathe(arguments).exitCode()).as(Arrays.toString(arguments)).isEqualTo(2);
    }
    assertThat(lathe("datastore", "verify", root).exitCode()).isEqualTo(3);
    assertThat(lathe("datastore", "remove", root, "x").exitCode()).isEqualTo(3);
    assertThat(store).doesNotExist();
    assertThat(root.resolve(".lock")).doesNotExist();
  }

  @Test
  @Tag("process")
  void aSignalStopsPolitely() throws Exception {
    Path store = root.resolve("stopped");
    Path text = root.resolve("long.txt");
    StringBuilder words = new StringBuilder();
    Random random = new Random(3);
    while (words.length() < LONG_TEXT_BYTES) {
      words.append('w').append(random.nextInt(30)).append(' ');
    }
    Files.writeString(text, words);
    Process process =
        training.start(
            store,
            "datastore",
            "build",
            run.toString(),
            "--out",
            store.toString(),
            "--text",
            text.toString());
    try {
      while (process.isAlive() && !Files.exists(store.resolve("part-000001"))) {
        Thread.sleep(5);
      }
      process.destroy();
      assertThat(process.waitFor(MAX_STOP_S, TimeUnit.SECONDS)).isTrue();
      String said = Files.readString(TrainingProcess.log(store));
      assertThat(process.exitValue()).as(said).isEqualTo(130);
      assertThat(said).contains("stopped after chunk 0 of 2; the same command continues");
    } finally {
      process.destroyForcibly().waitFor();
    }
    assertThat(names(store)).containsExactly("job.json", "part-000001");
    InProcess unfinished = lathe("datastore", "info", store);
    assertThat(unfinished.exitCode()).isEqualTo(3);
    assertThat(unfinished.err().toString()).contains("not finished");
    assertThat(json("datastore", "remove", store, "--unfinished").path("unfinished").asText())
        .isEqualTo("long.txt");
    assertThat(names(store)).isEmpty();
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> children = Files.list(directory)) {
      return children.map(child -> child.getFileName().toString()).sorted().toList();
    }
  }
}
