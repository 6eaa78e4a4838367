package org.lathe.cli.commands;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.EvaluateRequest;
import org.lathe.cli.workflow.MemoryKind;
import org.lathe.cli.workflow.Outcome;
import org.lathe.graphs.errors.ConfigException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "evaluate",
    description =
        "Measure a run: perplexity with and without memories, or the metrics of an encoder's task.",
    footer = {
      "",
      "Example:",
      "  lathe evaluate runs/tiny --split test --memory none,local,long --tune",
      "  lathe evaluate runs/tiny --memory external --tune --store-fraction 0.1,0.5,1 --explain 3",
      "  lathe evaluate runs/mr-slim --split test --served models/mr-int8/1"
    })
final class EvaluateCommand extends BaseCommand {
  private static final List<String> SPLITS = List.of("train", "valid", "test");

  @Parameters(paramLabel = "RUN", description = "Directory of a run.")
  @SuppressWarnings("NullAway.Init") // required
  private Path run;

  @Option(
      names = "--split",
      paramLabel = "S",
      defaultValue = "valid",
      description = "train, valid or test; default: ${DEFAULT-VALUE}.")
  private String split = "valid";

  @Option(
      names = "--memory",
      split = ",",
      paramLabel = "KIND",
      description = "One or more of ${COMPLETION-CANDIDATES}; default: NONE.")
  private List<MemoryKind> memories = new ArrayList<>();

  @Option(
      names = "--tune",
      description = "Choose temperature and interpolation on the validation split first.")
  private boolean tune;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Prepared data of another corpus, with the run's tokenizer, to measure on.")
  private @Nullable Path data;

  @Option(
      names = "--store",
      paramLabel = "STORE",
      description = "Directory of the external memory; default: the training text, in memory.")
  private @Nullable Path store;

  @Option(
      names = "--store-fraction",
      split = ",",
      paramLabel = "F",
      description = "Use this part of the store; several for a study of its growth; default: 1.")
  private List<Double> storeFractions = new ArrayList<>();

  @Option(
      names = "--explain",
      paramLabel = "N",
      defaultValue = "0",
      description = "Show where the N predictions with the largest share of memory come from.")
  private int numExplained;

  @Option(
      names = "--served",
      paramLabel = "MODEL_DIR",
      description = "An exported version of an encoder's run, to be measured in place of the run.")
  private @Nullable Path served;

  @Mixin private RunOptions options = new RunOptions();

  EvaluateCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    if (!SPLITS.contains(split)) {
      throw new ConfigException("--split is " + split + "; expected train, valid or test");
    }
    List<MemoryKind> kinds = memories.isEmpty() ? List.of(MemoryKind.NONE) : memories;
    List<Double> fractions = storeFractions.isEmpty() ? List.of(1.0) : storeFractions;
    for (double fraction : fractions) {
      if (!(fraction > 0 && fraction <= 1)) {
        throw new ConfigException(
            "--store-fraction is " + fraction + "; expected more than 0 and at most 1");
      }
    }
    if (numExplained < 0) {
      throw new ConfigException("--explain is " + numExplained + "; expected 0 or more");
    }
    if (numExplained > 0 && kinds.stream().allMatch(kind -> kind == MemoryKind.NONE)) {
      throw new ConfigException("--explain needs a --memory other than none to take apart");
    }
    if (store != null && kinds.stream().noneMatch(MemoryKind::usesStore)) {
      throw new ConfigException("--store is used by --memory knn and external only");
    }
    EvaluateRequest request =
        new EvaluateRequest(
            existingRun(run),
            split,
            kinds,
            tune,
            existing(data, "prepared data", "make it with 'lathe prepare CONFIG --out DIR'"),
            existing(store, "store", "name the directory of an external memory"),
            fractions,
            numExplained,
            existing(served, "model", "make it with 'lathe export RUN --out models/NAME'"),
            options.overrides());
    return surroundings.workflows().get().evaluate(request, context(options.dryRun));
  }

  private Optional<Path> existing(@Nullable Path path, String what, String advice) {
    return path == null ? Optional.empty() : Optional.of(existingDirectory(path, what, advice));
  }
}
