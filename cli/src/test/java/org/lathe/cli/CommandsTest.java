package org.lathe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.workflow.BenchmarkMemoryRequest;
import org.lathe.cli.workflow.DemoRequest;
import org.lathe.cli.workflow.EvaluateRequest;
import org.lathe.cli.workflow.ExportFormat;
import org.lathe.cli.workflow.ExportRequest;
import org.lathe.cli.workflow.MemoryKind;
import org.lathe.cli.workflow.Outcome;
import org.lathe.cli.workflow.PredictRequest;
import org.lathe.cli.workflow.TrainRequest;
import org.lathe.export.savedmodel.WeightPrecision;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.DivergedException;
import picocli.CommandLine;

class CommandsTest {
  private final TestSurroundings lathe = new TestSurroundings();
  @TempDir Path directory;

  @Test
  void everyCommandHasHelpWithAnExample() {
    CommandLine line = Lathe.commandLine(lathe.surroundings());
    assertThat(line.getSubcommands()).hasSize(15);
    line.getSubcommands()
        .forEach(
            (name, command) ->
                assertThat(command.getUsageMessage()).contains("Example:", "  lathe " + name));
    assertThat(lathe.run("train", "--help")).isZero();
    assertThat(lathe.out()).contains("Usage: lathe train").contains("--run");
  }

  @Test
  void trainDelegates() {
    int exitCode =
        lathe.run(
            "train",
            "--preset",
            "tiny",
            "--set",
            "data.directory=" + directory,
            "--run",
            "r",
            "--seed",
            "9",
            "--threads",
            "2",
            "--set",
            "training.steps=5");
    assertThat(lathe.err()).isEmpty();
    assertThat(exitCode).isZero();
    TrainRequest request = (TrainRequest) lathe.requests.get(0);
    assertThat(request.config().seed()).isEqualTo(9);
    assertThat(request.config().threads()).isEqualTo(2);
    assertThat(request.config().training().steps()).isEqualTo(5);
    assertThat(lathe.out()).isEqualTo("ok" + System.lineSeparator());
  }

  @Test
  void evaluateExportAndPredictDelegate() {
    String run = directory.toString();
    lathe.input = "first prompt\n\nsecond\n";
    assertThat(lathe.run("evaluate", run, "--memory", "none,cache,knn", "--tune")).isZero();
    assertThat(lathe.run("export", run, "--out", "m", "--version", "3", "--weights", "int8"))
        .isZero();
    assertThat(lathe.run("predict", run, "--tokens", "7")).isZero();
    assertThat(lathe.requests)
        .containsExactly(
            new EvaluateRequest(
                directory,
                "valid",
                List.of(MemoryKind.NONE, MemoryKind.CACHE, MemoryKind.KNN),
                true,
                Optional.empty(),
                Optional.empty(),
                List.of(1.0),
                0,
                Optional.empty(),
                Overrides.NONE),
            new ExportRequest(
                directory,
                Path.of("m"),
                OptionalLong.of(3),
                ExportFormat.SAVED_MODEL,
                Optional.empty(),
                WeightPrecision.INT8,
                Overrides.NONE),
            new PredictRequest(
                directory,
                List.of("first prompt", "second"),
                7,
                Optional.empty(),
                0,
                Overrides.NONE));
  }

  @Test
  void benchmarkMemoryDelegates() {
    String run = directory.toString();
    assertThat(lathe.run("benchmark", "memory", run, "--store", run, "--repeats", "3")).isZero();
    assertThat(lathe.requests)
        .containsExactly(
            new BenchmarkMemoryRequest(
                directory,
                "test",
                List.of(MemoryKind.LOCAL, MemoryKind.LONG, MemoryKind.EXTERNAL),
                8192,
                3,
                Optional.empty(),
                Optional.of(directory),
                Overrides.NONE));
    assertThat(lathe.run("benchmark", "memory", run, "--memory", "local", "--store", run))
        .isEqualTo(2);
    assertThat(lathe.run("benchmark", "memory", run, "--tokens", "1")).isEqualTo(2);
    assertThat(lathe.run("benchmark", "memory", run, "--repeats", "0")).isEqualTo(2);
    assertThat(lathe.run("benchmark", "memory", run, "--split", "dev")).isEqualTo(2);
    assertThat(lathe.requests).hasSize(1);
  }

  @Test
  void demoMakesTwoConfigurations() throws IOException {
    Files.createFile(directory.resolve("a-sources.jar"));
    assertThat(lathe.run("demo", "--sources", directory.toString())).isZero();
    DemoRequest request = (DemoRequest) lathe.requests.get(0);
    assertThat(request.vanilla().memory().objective()).isEqualTo(MemoryObjective.NONE);
    assertThat(request.memory().memory().objective()).isEqualTo(MemoryObjective.LOCAL);
    assertThat(request.vanilla().model()).isEqualTo(request.memory().model());
  }

  @Test
  void jsonAnswersAreOneObject() throws IOException {
    lathe.answer = request -> Outcome.interrupted(Map.of("step", 12), List.of("stopped"));
    assertThat(lathe.run("report", directory.toString(), "--json"))
        .isEqualTo(ExitCodes.INTERRUPTED);
    assertThat(json().at("/step").asInt()).isEqualTo(12);
  }

  @Test
  void usageErrorsAreTwo() {
    assertThat(lathe.run("train", "--preset", "tiny")).isEqualTo(2);
    assertThat(lathe.run("train", "--run", "r")).isEqualTo(2);
    assertThat(lathe.run("trian")).isEqualTo(2);
    assertThat(lathe.run()).isEqualTo(2);
    assertThat(lathe.run("evaluate", "nowhere")).isEqualTo(2);
    assertThat(lathe.run("evaluate", directory.toString(), "--split", "dev")).isEqualTo(2);
    assertThat(lathe.run("evaluate", directory.toString(), "--memory", "magic")).isEqualTo(2);
    assertThat(lathe.run("prepare", "--preset", "tiny")).isEqualTo(2);
    assertThat(lathe.run("predict", directory.toString(), "--tokens", "0")).isEqualTo(2);
    assertThat(lathe.requests).isEmpty();
    assertThat(lathe.out()).isEmpty();
    assertThat(lathe.err().lines())
        .hasSize(9)
        .allSatisfy(line -> assertThat(line).startsWith("lathe: "))
        .noneMatch(line -> line.contains("Exception"));
    assertThat(lathe.err()).contains("(did you mean train or verify?)");
  }

  @Test
  void failuresOfTheWorkKeepTheirCodes() {
    assertThat(failing(new CorruptFileException("torn"))).isEqualTo(3);
    assertThat(failing(new DivergedException("not finite"))).isEqualTo(4);
    assertThat(failing(new IllegalArgumentException("numHeads (0)"))).isEqualTo(2);
    assertThat(failing(new IllegalStateException("oops"))).isEqualTo(1);
    assertThat(lathe.err())
        .contains("lathe: torn")
        .contains("unexpected IllegalStateException: oops")
        .doesNotContain("\tat ");
    failing(new IllegalStateException("again"), "--verbose");
    assertThat(lathe.err()).contains("\tat ");
  }

  @Test
  void jsonErrorsAreOneObject() throws IOException {
    assertThat(failing(new CorruptFileException("torn"), "--json")).isEqualTo(3);
    assertThat(json().at("/error").asText()).isEqualTo("torn");
    assertThat(json().at("/exitCode").asInt()).isEqualTo(3);
  }

  @Test
  void presetsPrintThemselves() {
    assertThat(lathe.run("presets")).isZero();
    assertThat(lathe.out()).contains("demo-vanilla").contains("tiny");
    assertThat(lathe.run("presets", "demo")).isZero();
    assertThat(lathe.out()).contains("hiddenSize: 96");
  }

  private int failing(RuntimeException failure, String... more) {
    lathe.answer =
        request -> {
          throw failure;
        };
    String[] args = new String[more.length + 2];
    args[0] = "verify";
    args[1] = directory.toString();
    System.arraycopy(more, 0, args, 2, more.length);
    return lathe.run(args);
  }

  private JsonNode json() throws IOException {
    return new ObjectMapper().readTree(lathe.out());
  }
}
