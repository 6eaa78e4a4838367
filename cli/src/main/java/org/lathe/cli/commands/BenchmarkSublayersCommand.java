package org.lathe.cli.commands;

import java.nio.file.Path;
import java.util.List;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.BenchmarkSublayersRequest;
import org.lathe.cli.workflow.Outcome;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "sublayers",
    description = "Measure the latency tables of a run's model, where it shall serve.",
    footer = {
      "",
      "Example:",
      "  lathe benchmark sublayers runs/mine --batch 32 --out tables",
      "  lathe prune ... --set pruning.target.speedup=4 \\",
      "      --set pruning.latencyTables=[tables/latency-batch-32.json] \\",
      "      --set pruning.batchSizes=[32] --set pruning.length=128"
    })
final class BenchmarkSublayersCommand extends BaseCommand {
  @Parameters(paramLabel = "RUN", description = "Finished run whose model shall be pruned.")
  @SuppressWarnings("NullAway.Init") // required
  private Path run;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "Directory of the tables, latency-batch-N.json.")
  @SuppressWarnings("NullAway.Init") // required
  private Path out;

  @Option(
      names = "--batch",
      paramLabel = "N",
      split = ",",
      defaultValue = "32",
      description = "Rows a call, one or more (default ${DEFAULT-VALUE}).")
  private List<Integer> batchSizes = List.of();

  @Mixin private CallOptions call = new CallOptions();

  BenchmarkSublayersCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    call.check(batchSizes);
    existingRun(run);
    return surroundings
        .workflows()
        .get()
        .benchmarkSublayers(
            new BenchmarkSublayersRequest(run, out, batchSizes, call.length, call.threads),
            context(false));
  }
}
