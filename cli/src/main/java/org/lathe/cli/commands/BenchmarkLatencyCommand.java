package org.lathe.cli.commands;

import java.nio.file.Path;
import java.util.List;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.BenchmarkLatencyRequest;
import org.lathe.cli.workflow.Outcome;
import picocli.CommandLine.Command;
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

  @Option(
      names = "--length",
      paramLabel = "N",
      defaultValue = "128",
      description = "Ids a row (default ${DEFAULT-VALUE}).")
  private int length;

  @Option(
      names = "--runs",
      paramLabel = "N",
      defaultValue = "50",
      description = "Timed calls of each (default ${DEFAULT-VALUE}, at least 50).")
  private int runs;

  @Option(
      names = "--threads",
      paramLabel = "N",
      defaultValue = "0",
      description = "Threads (default 0, all cores).")
  private int threads;

  BenchmarkLatencyCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    for (int batchSize : batchSizes) {
      requireAtLeast("--batch", batchSize, 1);
    }
    requireAtLeast("--length", length, 1);
    requireAtLeast("--runs", runs, 50);
    requireAtLeast("--threads", threads, 0);
    for (Path version : versions) {
      existingDirectory(version, "exported model", "make one with lathe export");
    }
    return surroundings
        .workflows()
        .get()
        .benchmarkLatency(
            new BenchmarkLatencyRequest(versions, batchSizes, length, runs, threads),
            context(false));
  }
}
