package org.lathe.cli.commands;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.ExportFormat;
import org.lathe.cli.workflow.ExportRequest;
import org.lathe.cli.workflow.Outcome;
import org.lathe.export.savedmodel.WeightPrecision;
import org.lathe.graphs.errors.ConfigException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "export",
    description = "Publish the model of a run as a verified, versioned SavedModel.",
    footer = {
      "",
      "Example:",
      "  lathe export runs/tiny-slim --out models/tiny",
      "  lathe export runs/tiny --out models/tiny --store stores/manuals",
      "  lathe export runs/mr-slim --out models/mr-int8 --weights int8",
      "  lathe export runs/mr --out hf/mr --format hugging-face"
    })
final class ExportCommand extends BaseCommand {
  @Parameters(paramLabel = "RUN", description = "Directory of a run.")
  @SuppressWarnings("NullAway.Init") // required
  private Path run;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "models/NAME",
      description = "Directory of the model; versions lie below it.")
  @SuppressWarnings("NullAway.Init") // required
  private Path out;

  @Option(
      names = "--version",
      paramLabel = "N",
      description = "Version to publish; default: one more than the highest there.")
  private @Nullable Long version;

  @Option(
      names = "--store",
      paramLabel = "STORE",
      description = "Directory of an external memory that the served model shall search.")
  private @Nullable Path store;

  @Option(
      names = "--weights",
      paramLabel = "TYPE",
      defaultValue = "float32",
      description =
          "How matrices are stored: float32, float16 or int8; they are unpacked in every call."
              + " Default: ${DEFAULT-VALUE}.")
  private String weights = "float32";

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "savedmodel",
      description =
          "savedmodel, or hugging-face: an encoder's config.json, safetensors and tokenizer in --out"
              + " itself. Default: ${DEFAULT-VALUE}.")
  private String format = "savedmodel";

  @Mixin private RunOptions options = new RunOptions();

  ExportCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    if (version != null && version < 1) {
      throw new ConfigException("--version is " + version + "; expected a whole number from 1");
    }
    if (format() == ExportFormat.HUGGING_FACE
        && (version != null || store != null || precision() != WeightPrecision.FLOAT32)) {
      throw new ConfigException(
          "--version, --store and --weights belong to a SavedModel; leave them out beside --format"
              + " hugging-face");
    }
    ExportRequest request =
        new ExportRequest(
            existingRun(run),
            out,
            version == null ? OptionalLong.empty() : OptionalLong.of(version),
            format(),
            store == null
                ? Optional.empty()
                : Optional.of(
                    existingDirectory(
                        store, "store", "make it with 'lathe datastore build RUN --out STORE'")),
            precision(),
            options.overrides());
    return surroundings.workflows().get().export(request, context(options.dryRun));
  }

  private ExportFormat format() {
    return labelled("--format", format, ExportFormat.values(), ExportFormat::label);
  }

  private WeightPrecision precision() {
    return labelled("--weights", weights, WeightPrecision.values(), WeightPrecision::label);
  }

  private static <T> T labelled(String option, String given, T[] known, Function<T, String> label) {
    List<String> labels = Arrays.stream(known).map(label).toList();
    int last = labels.size() - 1;
    return Arrays.stream(known)
        .filter(value -> label.apply(value).equals(given))
        .findFirst()
        .orElseThrow(
            () ->
                new ConfigException(
                    option
                        + " is '"
                        + given
                        + "'; expected "
                        + String.join(", ", labels.subList(0, last))
                        + " or "
                        + labels.get(last)));
  }
}
