package org.lathe.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import org.lathe.cli.commands.CommandFactory;
import org.lathe.cli.commands.LatheCommand;
import org.lathe.cli.workflow.EngineWorkflows;
import org.lathe.training.files.LocalStorage;
import picocli.CommandLine;

/** The entry point. {@link #run} does everything but exit. */
public final class Lathe {
  private Lathe() {}

  public static void main(String[] args) {
    String home = System.getProperty("lathe.home");
    Surroundings surroundings =
        new Surroundings(
            System.in,
            utf8(FileDescriptor.out),
            utf8(FileDescriptor.err),
            Boolean.getBoolean("lathe.terminal"), // the launcher has looked
            LocalStorage.INSTANCE,
            EngineWorkflows::new,
            home == null ? null : Path.of(home));
    System.exit(run(surroundings, args));
  }

  /**
   * Runs one command.
   *
   * @return the exit code, see {@link ExitCodes}
   */
  public static int run(Surroundings surroundings, String... args) {
    CommandLine line = commandLine(surroundings);
    Complaints complaints = new Complaints(surroundings, Arrays.asList(args).contains("--json"));
    line.setParameterExceptionHandler(complaints);
    line.setExecutionExceptionHandler(complaints);
    int exitCode = line.execute(args);
    surroundings.out().flush();
    surroundings.err().flush();
    return exitCode;
  }

  /** The tree of commands with all their options. */
  static CommandLine commandLine(Surroundings surroundings) {
    return new CommandLine(LatheCommand.class, new CommandFactory(surroundings))
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setOverwrittenOptionsAllowed(false)
        .setUsageHelpAutoWidth(false)
        .setUsageHelpWidth(100)
        .setOut(new PrintWriter(surroundings.out(), true, StandardCharsets.UTF_8))
        .setErr(new PrintWriter(surroundings.err(), true, StandardCharsets.UTF_8));
  }

  private static PrintStream utf8(FileDescriptor descriptor) {
    OutputStream stream = new FileOutputStream(descriptor);
    return new PrintStream(stream, true, StandardCharsets.UTF_8);
  }
}
