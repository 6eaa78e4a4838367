package org.lathe.cli.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.training.files.FaultyStorage;
import org.lathe.training.files.LocalStorage;

/** What can be wrong on a command line ends in one sentence, an exit code and a clean directory. */
@Tag("process")
class BadInputTest {
  private static final int FAILED = 1;
  private static final int USAGE = 2;
  private static final int CORRUPT = 3;

  @TempDir Path directory;
  private Path data;
  private Path run;

  @BeforeEach
  void name() {
    data = directory.resolve("data");
    run = directory.resolve("run");
  }

  @Test
  void missingFiles() throws IOException {
    Path absent = directory.resolve("absent.yaml");
    refused(USAGE, "no configuration at " + absent, "train", absent.toString(), "--run", at(run));
    refused(USAGE, "no prepared data at " + data, train());
    refused(USAGE, "which does not exist", prepare(directory.resolve("absent.txt")));
    assertThat(left(directory)).isEmpty();
  }

  @Test
  void unknownKeysAndWrongTypes() throws IOException {
    Path text = Files.writeString(directory.resolve("text.txt"), "words");
    for (String[] wrong :
        new String[][] {
          {"training.lerningRate=1", "learningRate"},
          {"training.steps=many", "training.steps"},
          {"training.steps=[1]", "training.steps"},
          {"training.steps=0", "training.steps"},
          {"model=5", "model"},
          {"model.numHeads=3", "model.numHeads"},
        }) {
      refused(USAGE, wrong[1], with(prepare(text), "--set", wrong[0]));
    }
    Path yaml = Files.writeString(directory.resolve("c.yaml"), "training:\n  stepz: 5\n");
    refused(USAGE, "'stepz' in section 'training'", "train", yaml.toString(), "--run", at(run));
    Files.writeString(yaml, "training: [unclosed\n");
    refused(USAGE, "c.yaml", "train", yaml.toString(), "--run", at(run));
    assertThat(left(directory)).containsExactly("c.yaml", "text.txt");
  }

  @Test
  void textThatCannotBeUsed() throws IOException {
    Path empty = Files.writeString(directory.resolve("empty.txt"), " \n");
    refused(CORRUPT, "hold no document with text", prepare(empty));
    Path latin = Files.write(directory.resolve("latin.txt"), new byte[] {'a', (byte) 0xe9, 'b'});
    refused(CORRUPT, "UTF-8", prepare(latin));
    Path single = Files.writeString(directory.resolve("single.txt"), "one document only");
    refused(USAGE, "too few for a train, a valid", prepare(single));
    assertThat(left(directory)).containsExactly("empty.txt", "latin.txt", "single.txt");
  }

  @Test
  void runsAndDataOfOthers() throws IOException {
    prepared();
    Path tokens = data.resolve("train.tokens");
    byte[] whole = Files.readAllBytes(tokens);

    refused(USAGE, "seed is 99999999999", with(train(), "--seed", "99999999999"));
    assertThat(run).doesNotExist();
    assertThat(InProcess.run(train()).exitCode()).isZero();
    List<String> before = left(run);
    refused(CORRUPT, "holds a run of another configuration", with(train(), "--seed", "4"));
    assertThat(left(run)).isEqualTo(before);

    for (int size : new int[] {0, 1, 40, whole.length / 2, whole.length - 1}) {
      Files.write(tokens, java.util.Arrays.copyOf(whole, size));
      refused(CORRUPT, "train.tokens", train());
      refused(CORRUPT, "train.tokens", trainInto(directory.resolve("fresh")));
    }
    assertThat(left(run)).isEqualTo(before);
    assertThat(directory.resolve("fresh")).doesNotExist();

    // a checkpoint of another run, copied here
    Files.write(tokens, whole);
    Path other = directory.resolve("other");
    assertThat(InProcess.run(with(trainInto(other), "--seed", "4")).exitCode()).isZero();
    Files.move(other.resolve("checkpoints/step-20"), run.resolve("checkpoints/step-30"));
    refused(CORRUPT, "wrong name", deleting("step-10", "step-20"));
  }

  @Test
  void fullDisk() throws IOException {
    Path text = text();
    for (long quota : new long[] {0, 100, 2_000}) {
      FaultyStorage disk = new FaultyStorage(LocalStorage.INSTANCE).quotaBytes(quota);
      InProcess full = InProcess.run(disk, prepare(text));
      assertSentence(full, FAILED, data + " was not written: ");
      assertSentence(full, FAILED, "No space left on device");
      assertThat(disk.numOpenHandles()).isZero();
      assertThat(left(directory)).as("after quota %s", quota).containsExactly("text.txt");
    }
    FaultyStorage small = new FaultyStorage(LocalStorage.INSTANCE).quotaBytes(100).showQuota();
    assertSentence(InProcess.run(small, prepare(text)), FAILED, "needed");

    assertThat(InProcess.run(prepare(text)).exitCode()).isZero();
    for (long quota : new long[] {0, 1_000, 20_000, 60_000}) {
      FaultyStorage disk = new FaultyStorage(LocalStorage.INSTANCE).quotaBytes(quota);
      InProcess full = InProcess.run(disk, train());
      assertSentence(full, FAILED, "No space left on device");
      assertThat(disk.numOpenHandles()).isZero();
      assertThat(left(run))
          .noneMatch(name -> name.contains(".staging-") || name.contains(".lock"))
          .noneMatch(name -> name.contains(".trash"));
    }
    // the next one with space continues
    assertThat(InProcess.run(train()).exitCode()).isZero();
    assertThat(TrainingProcess.checkpoints(run)).containsExactly("step-10", "step-20");
  }

  private String[] deleting(String... checkpoints) throws IOException {
    for (String checkpoint : checkpoints) {
      try (Stream<Path> files = Files.list(run.resolve("checkpoints").resolve(checkpoint))) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
      }
      Files.delete(run.resolve("checkpoints").resolve(checkpoint));
    }
    return train();
  }

  private Path text() throws IOException {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      text.append("Document ").append(i).append(" tells of the number ").append(i * i);
      text.append(" and of other numbers too.\n<|endoftext|>\n");
    }
    return Files.writeString(directory.resolve("text.txt"), text);
  }

  private void prepared() throws IOException {
    assertThat(InProcess.run(prepare(text())).exitCode()).isZero();
  }

  private String[] prepare(Path source) {
    return new String[] {
      "prepare",
      "--preset",
      "tiny",
      "--set",
      "data.validFraction=0.2",
      "--set",
      "data.sources=[" + source + "]",
      "--out",
      at(data)
    };
  }

  private String[] train() {
    return trainInto(run);
  }

  private String[] trainInto(Path into) {
    return new String[] {
      "train",
      "--preset",
      "tiny",
      "--threads",
      "1",
      "--set",
      "model.numLayers=1",
      "--set",
      "data.directory=" + data,
      "--run",
      at(into)
    };
  }

  private static String[] with(String[] args, String... more) {
    return Stream.concat(Stream.of(args), Stream.of(more)).toArray(String[]::new);
  }

  private static String at(Path path) {
    return path.toString();
  }

  private static void refused(int exitCode, String why, String... args) {
    assertSentence(InProcess.run(args), exitCode, why);
  }

  /** The last line on standard error, and the only complaint. */
  private static void assertSentence(InProcess refused, int exitCode, String why) {
    assertThat(refused.exitCode()).as(refused.toString()).isEqualTo(exitCode);
    assertThat(refused.out()).isEmpty();
    String last = refused.err().get(refused.err().size() - 1);
    assertThat(last).startsWith("lathe: ").contains(why);
    assertThat(refused.err().stream().filter(line -> line.startsWith("lathe: "))).hasSize(1);
    assertThat(String.join("\n", refused.err()))
        .doesNotContain("\tat ")
        .doesNotContain("Exception")
        .doesNotContain("defect of Lathe");
  }

  /** Every file below, relative and sorted; directories only where they are empty. */
  private static List<String> left(Path root) throws IOException {
    if (!Files.exists(root)) {
      return List.of();
    }
    try (Stream<Path> walk = Files.walk(root)) {
      return walk.filter(path -> !path.equals(root))
          .filter(path -> !Files.isDirectory(path) || isEmpty(path))
          .map(path -> root.relativize(path).toString())
          .sorted()
          .toList();
    }
  }

  private static boolean isEmpty(Path path) {
    try (Stream<Path> children = Files.list(path)) {
      return children.findAny().isEmpty();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
