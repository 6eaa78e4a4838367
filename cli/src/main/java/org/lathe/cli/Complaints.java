package org.lathe.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.LatheException;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Turns whatever a command throws into one sentence on standard error and an exit code; with {@code
 * --json} also into an object on standard output. Stack traces are for {@code --verbose} only.
 */
final class Complaints implements IParameterExceptionHandler, IExecutionExceptionHandler {
  private final Surroundings surroundings;
  private final boolean json;

  Complaints(Surroundings surroundings, boolean json) {
    this.surroundings = surroundings;
    this.json = json;
  }

  @Override
  public int handleParseException(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    StringBuilder message = new StringBuilder(oneLine(e));
    List<String> suggestions =
        e instanceof UnmatchedArgumentException unmatched ? unmatched.getSuggestions() : List.of();
    if (!suggestions.isEmpty()) {
      message.append(" (did you mean ").append(String.join(" or ", suggestions)).append("?)");
    }
    message.append("; see '").append(command.getCommandSpec().qualifiedName()).append(" --help'");
    return tell(message.toString(), ExitCodes.USAGE);
  }

  @Override
  public int handleExecutionException(Exception e, CommandLine command, ParseResult parsed) {
    int exitCode = tell(sentence(e), exitCode(e));
    if (parsed.expandedArgs().contains("--verbose")) {
      e.printStackTrace(surroundings.err());
    }
    return exitCode;
  }

  static int exitCode(Throwable e) {
    if (e instanceof LatheException known) {
      return known.exitCode();
    }
    // records refuse impossible values this way
    return e instanceof IllegalArgumentException ? ExitCodes.USAGE : ExitCodes.FAILED;
  }

  private static String sentence(Exception e) {
    if (e instanceof LatheException || e instanceof IllegalArgumentException) {
      return oneLine(e);
    }
    if (e instanceof IOException || e instanceof UncheckedIOException) {
      return "reading or writing failed: " + oneLine(e) + "; --verbose shows where";
    }
    return "unexpected "
        + e.getClass().getSimpleName()
        + ": "
        + oneLine(e)
        + "; this is a defect of Lathe, please report it with the output of --verbose and of"
        + " 'lathe doctor'";
  }

  private int tell(String message, int exitCode) {
    surroundings.err().println("lathe: " + message);
    if (json) {
      ObjectMapper mapper = new ObjectMapper();
      ObjectNode object = mapper.createObjectNode().put("error", message).put("exitCode", exitCode);
      surroundings.out().println(object);
    }
    return exitCode;
  }

  private static String oneLine(Throwable e) {
    @Nullable String message = e.getMessage();
    return Objects.requireNonNullElse(message, e.getClass().getSimpleName())
        .strip()
        .replaceAll("\\s*\\R\\s*", " ");
  }
}
