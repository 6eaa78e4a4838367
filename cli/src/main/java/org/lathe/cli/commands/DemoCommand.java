package org.lathe.cli.commands;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.Surroundings;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.RunConfigReader;
import org.lathe.cli.workflow.DemoRequest;
import org.lathe.cli.workflow.Outcome;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.FailedException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "demo",
    description = "The whole path, from text to a slim SavedModel, in about ten minutes.",
    footer = {"", "Example:", "  lathe demo --out demo"})
final class DemoCommand extends BaseCommand {
  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "demo",
      description = "Where everything is written; default: ${DEFAULT-VALUE}.")
  private Path out = Path.of("demo");

  @Option(
      names = "--sources",
      paramLabel = "DIR",
      description = "Directory of source jars to use as text; default: those the launcher fetched.")
  private @Nullable Path sources;

  @Option(
      names = "--preset",
      paramLabel = "NAME",
      defaultValue = "demo",
      description = "Configuration of both models; default: ${DEFAULT-VALUE}.")
  private String preset = "demo";

  @Mixin private RunOptions options = new RunOptions();

  DemoCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    RunConfigReader reader = new RunConfigReader(surroundings.storage());
    Overrides overrides = options.overrides();
    RunConfig memory = reader.read(null, preset, overrides);
    RunConfig vanilla = reader.read(null, preset, overrides.with("memory.objective=none"));
    DemoRequest request = new DemoRequest(vanilla, memory, sourceJars(), out);
    return surroundings.workflows().get().demo(request, context(options.dryRun));
  }

  private Path sourceJars() {
    Path directory = sources == null ? fetchedSources() : sources;
    existingDirectory(directory, "demo text", "start the demo as ./lathe demo, which fetches it");
    try {
      boolean anyJar =
          surroundings.storage().list(directory).stream()
              .anyMatch(file -> file.toString().endsWith(".jar"));
      if (!anyJar) {
        throw new ConfigException(directory + " has no .jar; expected source jars");
      }
    } catch (IOException e) {
      throw new FailedException("cannot list " + directory + ": " + e.getMessage(), e);
    }
    return directory;
  }

  private Path fetchedSources() {
    Path home = surroundings.home();
    if (home == null) {
      throw new ConfigException(
          "the demo's text is fetched by the launcher; start it as ./lathe demo, or name a directory"
              + " of source jars with --sources");
    }
    return home.resolve("cli/target/demo-sources");
  }
}
