package org.lathe.cli.commands;

import java.nio.file.Path;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.Outcome;
import org.lathe.cli.workflow.ReportRequest;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "report",
    description = "Write one self-contained HTML page about a run.",
    footer = {"", "Example:", "  lathe report runs/tiny"})
final class ReportCommand extends BaseCommand {
  @Parameters(paramLabel = "RUN", description = "Directory of a run.")
  @SuppressWarnings("NullAway.Init") // required
  private Path run;

  ReportCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    ReportRequest request = new ReportRequest(existingRun(run));
    return surroundings.workflows().get().report(request, context(false));
  }
}
