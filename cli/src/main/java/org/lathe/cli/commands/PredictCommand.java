package org.lathe.cli.commands;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.Outcome;
import org.lathe.cli.workflow.PredictRequest;
import org.lathe.graphs.errors.ConfigException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "predict",
    description =
        "Continue prompts, or judge texts by a task, one a line from standard input or from"
            + " --prompt.",
    footer = {
      "",
      "Example:",
      "  lathe predict models/demo/1 --prompt 'public static int' --tokens 20",
      "  lathe predict runs/tiny --store stores/tiny --explain 3 --prompt 'public static int'",
      "  lathe predict models/slim --prompt 'a film of rare charm'",
      "A second text, or the context of a question, follows its text after a tab."
    })
final class PredictCommand extends BaseCommand {
  private static final int MAX_TOKENS = 100_000;

  @Parameters(
      paramLabel = "MODEL_DIR_OR_RUN",
      description = "Version directory, or a model's, or a run.")
  @SuppressWarnings("NullAway.Init") // required
  private Path modelOrRun;

  @Option(names = "--prompt", paramLabel = "TEXT", description = "May be repeated.")
  private List<String> prompts = new ArrayList<>();

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "32",
      description = "Tokens to add to each prompt; default: ${DEFAULT-VALUE}.")
  private int numTokens = 32;

  @Option(
      names = "--store",
      paramLabel = "STORE",
      description =
          "External memory that was built from the run, mixed in as 'lathe evaluate RUN --memory"
              + " external --tune' left it.")
  private @Nullable Path store;

  @Option(
      names = "--explain",
      paramLabel = "N",
      defaultValue = "0",
      description = "Show for every added token the N memory items it owes most to; runs only.")
  private int numExplained;

  @Mixin private RunOptions options = new RunOptions();

  PredictCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    if (numTokens < 1 || numTokens > MAX_TOKENS) {
      throw new ConfigException(
          "--tokens is " + numTokens + "; expected a whole number from 1 to " + MAX_TOKENS);
    }
    if (numExplained < 0) {
      throw new ConfigException("--explain is " + numExplained + "; expected 0 or more");
    }
    existingDirectory(
        modelOrRun,
        "model or run",
        "train one with 'lathe train', or publish one with 'lathe export'");
    List<String> texts = prompts.isEmpty() ? linesOfInput() : prompts;
    if (texts.isEmpty()) {
      throw new ConfigException("no prompt; give --prompt TEXT, or lines on standard input");
    }
    PredictRequest request =
        new PredictRequest(
            modelOrRun,
            texts,
            numTokens,
            Optional.ofNullable(store).map(this::existingStore),
            numExplained,
            options.overrides());
    return surroundings.workflows().get().predict(request, context(options.dryRun));
  }

  private List<String> linesOfInput() {
    try {
      BufferedReader reader =
          new BufferedReader(new InputStreamReader(surroundings.in(), StandardCharsets.UTF_8));
      List<String> lines = new ArrayList<>();
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        if (!line.isBlank()) {
          lines.add(line);
        }
      }
      return lines;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
