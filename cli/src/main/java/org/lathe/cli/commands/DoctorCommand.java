package org.lathe.cli.commands;

import java.nio.file.Path;
import org.lathe.cli.Surroundings;
import org.lathe.cli.doctor.Doctor;
import org.lathe.cli.workflow.Outcome;
import picocli.CommandLine.Command;

@Command(
    name = "doctor",
    description = "Say what this machine can do: Java, TensorFlow, devices, memory, disk.",
    footer = {"", "Example:", "  lathe doctor --json"})
final class DoctorCommand extends BaseCommand {
  DoctorCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    return new Doctor(surroundings.storage(), System.getenv()).examine(Path.of("."));
  }
}
