package org.lathe.cli.commands;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.lathe.cli.Surroundings;
import org.lathe.cli.progress.Console;
import org.lathe.cli.workflow.Outcome;
import org.lathe.cli.workflow.RunContext;
import org.lathe.graphs.errors.ConfigException;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Mixin;

/** What all commands do alike: answer once, as lines for a person or as JSON for a machine. */
abstract class BaseCommand implements Callable<Integer> {
  final Surroundings surroundings;

  @Mixin private AnswerOptions answer = new AnswerOptions();

  BaseCommand(Surroundings surroundings) {
    this.surroundings = surroundings;
  }

  /** Parses nothing more, validates the rest, delegates. */
  abstract Outcome perform();

  @Override
  public final Integer call() throws Exception {
    if (answer.verbose) {
      ((Logger) LoggerFactory.getLogger("org.lathe")).setLevel(Level.INFO);
    }
    Outcome outcome = perform();
    if (answer.json) {
      surroundings.out().println(new JsonMapper().writeValueAsString(outcome.facts()));
    } else {
      outcome.lines().forEach(surroundings.out()::println);
    }
    return outcome.exitCode();
  }

  final RunContext context(boolean dryRun) {
    Console console = new Console(surroundings.err(), surroundings.terminal(), System::nanoTime);
    return new RunContext(surroundings.storage(), console, dryRun);
  }

  /** Refuses early what cannot be read later. */
  final Path existingDirectory(Path path, String what, String advice) {
    if (!surroundings.storage().exists(path)) {
      throw new ConfigException("no " + what + " at " + path + "; " + advice);
    }
    if (!surroundings.storage().isDirectory(path)) {
      throw new ConfigException(path + " is a file; expected the directory of a " + what);
    }
    return path;
  }

  final Path existingRun(Path path) {
    return existingDirectory(path, "run", "make one with 'lathe train CONFIG --run " + path + "'");
  }

  final Path existingStore(Path path) {
    return existingDirectory(
        path, "datastore", "make one with 'lathe datastore build RUN --out " + path + "'");
  }

  static void requireAtLeast(String option, int value, int least) {
    if (value < least) {
      throw new ConfigException(option + " is " + value + "; expected at least " + least);
    }
  }
}
