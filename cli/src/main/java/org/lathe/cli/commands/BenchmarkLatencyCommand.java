package org.lathe.cli.commands;

import java.nio.file.Path;
import java.util.List;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.BenchmarkLatencyRequest;
import org.lathe.cli.workflow.Outcome;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "latency",
    description = "Time exported models against the first of them, in turns.",
    footer = {
      "",
      "Example:",
      "  lathe benchmark latency models/full/1 models/slim/1 --batch 1,32 --length 128"
    })
final class BenchmarkLatencyCommand extends BaseCommand {
  @Parameters(
      paramLabel = "VERSION",
      arity = "2..*",
      description = "Directories models/NAME/VERSION; the first is what the others are held to.")
  private List<Path> versions = List.of();

  @Option(
      names = "--batch",
      paramLabel = "N",
      split = ",",
      defaultValue = "1,32,128",
      description = "Rows a call, one or more (default ${DEFAULT-VALUE}).")
  private List<Integer> batchSizes = List.of();

  @Mixin private CallOptions call = new CallOptions();

  @Option(
      names = "--runs",
      paramLabel = "N",
      defaultValue = "50",
      description = "Timed calls of each (default ${DEFAULT-VALUE}, at least 50).")
  private int runs;

  BenchmarkLatencyCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    call.check(batchSizes);
    requireAtLeast("--runs", runs, 50);
    for (Path version : versions) {
      existingDirectory(version, "exported model", "make one with lathe export");
    }
    return surroundings
        .workflows()
        .get()
        .benchmarkLatency(
            new BenchmarkLatencyRequest(versions, batchSizes, call.length, runs, call.threads),
            context(false));
  }
}
