package org.lathe.cli.commands;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.Surroundings;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.workflow.Outcome;
import org.lathe.cli.workflow.PrepareRequest;
import org.lathe.graphs.errors.ConfigException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "prepare",
    description = "Turn text into a vocabulary and token files.",
    footer = {
      "",
      "Example:",
      "  lathe prepare --preset tiny --set 'data.sources=[docs]' --out data/docs"
    })
final class PrepareCommand extends BaseCommand {
  @Mixin private ConfigOptions config = new ConfigOptions();

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Where to write; data.directory of the configuration when absent.")
  private @Nullable Path out;

  PrepareCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    RunConfig read = config.read(surroundings.storage());
    if (read.data().sources().isEmpty()) {
      throw new ConfigException(
          "data.sources is empty; list files, directories or jars of text, for instance --set"
              + " 'data.sources=[docs]'");
    }
    for (String source : read.data().sources()) {
      if (!surroundings.storage().exists(Path.of(source))) {
        throw new ConfigException("data.sources names " + source + ", which does not exist");
      }
    }
    Path target = out == null ? Path.of(read.data().directory()) : out;
    return surroundings
        .workflows()
        .get()
        .prepare(new PrepareRequest(read, target), context(config.dryRun()));
  }
}
