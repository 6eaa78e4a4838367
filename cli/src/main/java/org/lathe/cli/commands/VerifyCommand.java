package org.lathe.cli.commands;

import java.nio.file.Path;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.Outcome;
import org.lathe.cli.workflow.VerifyRequest;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
    name = "verify",
    description = "Check an exported model: manifest, checksums, reload, parity, warm-up replay.",
    footer = {"", "Example:", "  lathe verify models/tiny/1"})
final class VerifyCommand extends BaseCommand {
  @Parameters(
      paramLabel = "MODEL_DIR",
      description = "Version directory, or a model's, for its newest.")
  @SuppressWarnings("NullAway.Init") // required
  private Path model;

  VerifyCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    existingDirectory(model, "model", "publish one with 'lathe export RUN --out models/NAME'");
    return surroundings.workflows().get().verify(new VerifyRequest(model), context(false));
  }
}
