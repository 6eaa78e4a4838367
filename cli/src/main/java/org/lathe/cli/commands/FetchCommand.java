package org.lathe.cli.commands;

import com.google.common.base.Splitter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.Surroundings;
import org.lathe.cli.config.Suggestions;
import org.lathe.cli.workflow.FetchRequest;
import org.lathe.cli.workflow.KnownCheckpoint;
import org.lathe.cli.workflow.Outcome;
import org.lathe.graphs.errors.ConfigException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
    name = "fetch",
    description = "Fetch a pretrained encoder from a Maven repository; without a name, list some.",
    footer = {
      "",
      "Example:",
      "  lathe fetch minilm-l6",
      "  lathe fetch dev.langchain4j:langchain4j-embeddings-bge-small-en:1.0.0-beta3"
          + " --out pretrained/bge"
    })
final class FetchCommand extends BaseCommand {
  private static final Pattern COORDINATES = Pattern.compile("[\\w.-]+:[\\w.-]+:[\\w.-]+");

  @Parameters(
      arity = "0..1",
      paramLabel = "NAME",
      description = "A name of the list, or GROUP:ARTIFACT:VERSION of a jar.")
  private @Nullable String name;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Directory to make; default: pretrained/NAME.")
  private @Nullable Path out;

  @Option(
      names = "--jar",
      paramLabel = "FILE",
      description = "Take this file instead of downloading it.")
  private @Nullable Path jar;

  @Option(
      names = "--maven",
      paramLabel = "COMMAND",
      description = "Maven to download with; default: the mvn on the path.")
  private @Nullable String maven;

  FetchCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    if (name == null && (jar != null || out != null || maven != null)) {
      throw new ConfigException(
          "no NAME is given; expected one of 'lathe fetch', or GROUP:ARTIFACT:VERSION");
    }
    if (name == null) {
      return list();
    }
    if (jar != null && !surroundings.storage().exists(jar)) {
      throw new ConfigException(
          "no file at " + jar + "; give the path of a jar, or leave --jar out");
    }
    if (jar != null && maven != null) {
      throw new ConfigException("--jar downloads nothing; leave --maven or --jar out");
    }
    String coordinates = coordinates(name);
    FetchRequest request =
        new FetchRequest(
            coordinates,
            Optional.ofNullable(jar),
            out == null ? Path.of("pretrained", directory(name)) : out,
            maven == null ? defaultMaven() : maven);
    return surroundings.workflows().get().fetch(request, context(false));
  }

  private static Outcome list() {
    Map<String, Object> facts = new LinkedHashMap<>();
    List<String> lines = new ArrayList<>();
    for (KnownCheckpoint known : KnownCheckpoint.values()) {
      facts.put(known.label(), known.coordinates());
      lines.add("%-12s%s".formatted(known.label(), known.summary()));
      lines.add("%-12s%s".formatted("", known.coordinates()));
    }
    return Outcome.done(facts, lines);
  }

  private static String coordinates(String name) {
    if (COORDINATES.matcher(name).matches()) {
      return name;
    }
    return KnownCheckpoint.of(name)
        .map(KnownCheckpoint::coordinates)
        .orElseThrow(
            () ->
                new ConfigException(
                    "unknown checkpoint '"
                        + name
                        + "'"
                        + Suggestions.didYouMean(
                            name, KnownCheckpoint.labels(), "known checkpoints")
                        + " Any other is given as GROUP:ARTIFACT:VERSION."));
  }

  /** A known name, or the artifact of coordinates. */
  private static String directory(String name) {
    return name.contains(":") ? Splitter.on(':').splitToList(name).get(1) : name;
  }

  private static String defaultMaven() {
    boolean windows =
        System.getProperty("os.name", "").toLowerCase(Locale.ROOT).startsWith("windows");
    return windows ? "mvn.cmd" : "mvn";
  }
}
