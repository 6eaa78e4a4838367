package org.lathe.cli.commands;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
    description = "Measure the perplexity of a run, with and without memories.",
    footer = {
      "",
      "Example:",
      "  lathe evaluate runs/tiny --split test --memory none,local,long --tune"
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
    EvaluateRequest request =
        new EvaluateRequest(existingRun(run), split, kinds, tune, options.overrides());
    return surroundings.workflows().get().evaluate(request, context(options.dryRun));
  }
}
