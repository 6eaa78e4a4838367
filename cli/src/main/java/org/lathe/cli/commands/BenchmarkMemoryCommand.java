package org.lathe.cli.commands;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.BenchmarkMemoryRequest;
import org.lathe.cli.workflow.MemoryKind;
import org.lathe.cli.workflow.Outcome;
import org.lathe.graphs.errors.ConfigException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "memory",
    description = "Time the scoring of a text with each memory beside scoring without, in turns.",
    footer = {
      "",
      "Example:",
      "  lathe benchmark memory runs/tiny --tokens 2048",
      "  lathe benchmark memory runs/tiny --store stores/tiny --memory external \\",
      "    --set evaluation.neighbors=1024 --set evaluation.probes=32"
    })
final class BenchmarkMemoryCommand extends BaseCommand {
  private static final List<MemoryKind> USUAL =
      List.of(MemoryKind.LOCAL, MemoryKind.LONG, MemoryKind.EXTERNAL);
  private static final List<String> SPLITS = List.of("train", "valid", "test");

  @Parameters(paramLabel = "RUN", description = "Directory of a run.")
  @SuppressWarnings("NullAway.Init") // required
  private Path run;

  @Option(
      names = "--store",
      paramLabel = "STORE",
      description = "Directory of the external memory; default: the training text, in memory.")
  private @Nullable Path store;

  @Option(
      names = "--memory",
      split = ",",
      paramLabel = "KIND",
      description =
          "One or more of ${COMPLETION-CANDIDATES}, besides NONE; default: LOCAL,LONG,EXTERNAL.")
  private List<MemoryKind> memories = new ArrayList<>();

  @Option(
      names = "--split",
      paramLabel = "S",
      defaultValue = "test",
      description = "train, valid or test; default: ${DEFAULT-VALUE}.")
  private String split = "test";

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Prepared data of another corpus, with the run's tokenizer, to measure on.")
  private @Nullable Path data;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "8192",
      description = "Tokens of the text (default ${DEFAULT-VALUE}).")
  private int numTokens;

  @Option(
      names = "--repeats",
      paramLabel = "N",
      defaultValue = "5",
      description = "Timed passes of each (default ${DEFAULT-VALUE}).")
  private int repeats;

  @Mixin private RunOptions options = new RunOptions();

  BenchmarkMemoryCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    if (!SPLITS.contains(split)) {
      throw new ConfigException("--split is " + split + "; expected train, valid or test");
    }
    if (numTokens < 2) {
      throw new ConfigException("--tokens is " + numTokens + "; expected at least 2");
    }
    if (repeats < 1) {
      throw new ConfigException("--repeats is " + repeats + "; expected at least 1");
    }
    List<MemoryKind> kinds = memories.isEmpty() ? USUAL : memories;
    if (store != null && kinds.stream().noneMatch(MemoryKind::usesStore)) {
      throw new ConfigException("--store is used by --memory knn and external only");
    }
    return surroundings
        .workflows()
        .get()
        .benchmarkMemory(
            new BenchmarkMemoryRequest(
                existingRun(run),
                split,
                kinds,
                numTokens,
                repeats,
                existing(data, "prepared data", "make it with 'lathe prepare CONFIG --out DIR'"),
                existing(store, "store", "name the directory of an external memory"),
                options.overrides()),
            context(options.dryRun));
  }

  private Optional<Path> existing(@Nullable Path path, String what, String advice) {
    return path == null ? Optional.empty() : Optional.of(existingDirectory(path, what, advice));
  }
}
