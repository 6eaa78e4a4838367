package org.lathe.cli.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Stream;
import org.lathe.cli.Lathe;

/** Child JVMs that train a tiny model with memory and dropout on generated text. */
final class TrainingProcess {
  private static final int NUM_WORDS = 4_000;

  private final Path directory;
  private final Path config;

  /** Writes text and configuration and prepares the data, in this JVM. */
  TrainingProcess(Path directory, int steps, int checkpointEvery) throws IOException {
    this.directory = directory;
    config = directory.resolve("tiny.yaml");
    Path text = directory.resolve("text.txt");
    if (!Files.exists(text)) {
      Files.writeString(text, text());
    }
    Files.writeString(
        config,
        """
        seed: 3
        threads: 1
        data:
          sources: [%s]
          tokenizer: byte
          validFraction: 0.2
          testFraction: 0.2
          directory: %s
        model:
          hiddenSize: 8
          numLayers: 1
          numHeads: 2
          intermediateSize: 16
          dropout: 0.1
          maxPositions: 16
        memory:
          objective: external
          dropLocal: 0.5
        training:
          segmentLength: 8
          batchSize: 2
          steps: %d
          warmupSteps: 5
          optimizer: nag
          momentum: 0.9
          learningRate: 0.05
          evaluateEvery: 50
          checkpointEvery: %d
        evaluation:
          window: 16
          stride: 8
        pruning:
          length: 16
        """
            .formatted(text, directory.resolve("data"), steps, checkpointEvery));
    if (!Files.exists(directory.resolve("data"))) {
      InProcess prepared = InProcess.run("prepare", config.toString());
      if (prepared.exitCode() != 0) {
        throw new IllegalStateException(prepared.toString());
      }
    }
  }

  Path config() {
    return config;
  }

  /** The same command starts and resumes. */
  String[] arguments(Path run) {
    return new String[] {"train", config.toString(), "--run", run.toString()};
  }

  /** A child that trains; what it says is appended to RUN.log beside the run. */
  Process start(Path run) throws IOException {
    return start(run, arguments(run));
  }

  /**
   * A child that runs any command.
   *
   * @param target beside which TARGET.log is appended to
   */
  Process start(Path target, String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xshare:auto",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                "-Dorg.bytedeco.javacpp.maxBytes=0",
                "-cp",
                System.getProperty("java.class.path"),
                Lathe.class.getName()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("TF_CPP_MIN_LOG_LEVEL", "2");
    builder.environment().put("RUST_FLAVOR", "cpu");
    return builder
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log(target).toFile()))
        .start();
  }

  Path run(String name) {
    return directory.resolve(name);
  }

  static Path log(Path run) {
    return run.resolveSibling(run.getFileName() + ".log");
  }

  /** Names in RUN/checkpoints; none before the first is made. */
  static List<String> checkpoints(Path run) throws IOException {
    Path checkpoints = run.resolve("checkpoints");
    if (!Files.isDirectory(checkpoints)) {
      return List.of();
    }
    try (Stream<Path> children = Files.list(checkpoints)) {
      return children.map(child -> child.getFileName().toString()).sorted().toList();
    }
  }

  /** The newest committed step by name, -1 for none. */
  static long newestStep(Path run) throws IOException {
    return checkpoints(run).stream()
        .filter(name -> name.startsWith("step-"))
        .mapToLong(name -> Long.parseLong(name.substring("step-".length())))
        .max()
        .orElse(-1);
  }

  /** Waits until a checkpoint newer than the step is there, or the process has ended. */
  static void awaitNewer(Process process, Path run, long step) throws Exception {
    while (process.isAlive() && newestStep(run) <= step) {
      Thread.sleep(5);
    }
  }

  private static String text() {
    Random random = new Random(4);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < NUM_WORDS; i++) {
      text.append(String.format(Locale.ROOT, "w%d ", random.nextInt(30)));
      if (i % 200 == 199) {
        text.append("\n<|endoftext|>\n");
      }
    }
    return text.toString();
  }
}
