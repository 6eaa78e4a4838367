package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.PruningSection;
import org.lathe.cli.config.RunConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.constraint.TargetKind;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.StagedDirectory;

/**
 * Chooses a structure that is as fast as asked once it is served. The latency table adds up
 * sublayers that were timed one by one; a whole model can be faster or slower than their sum. So a
 * chosen structure is exported and timed beside the full model, and where it misses, the choice is
 * repeated for a target that is corrected by what was measured, in between once a target was too
 * slow and another too fast. RUN/speedup.json keeps the target that was found, so that a resumed
 * run chooses the same structure again.
 */
final class SpeedupSearch {
  static final String FILE = "speedup.json";

  private static final int MAX_CORRECTIONS = 4;

  private final Path run;
  private final RunConfig config;
  private final RunContext context;
  private final Stopwatch stopwatch;

  /** Times one published model against another. */
  interface Stopwatch {
    MeasuredSpeedup measure(Path full, Path slim);
  }

  /**
   * What is searched for.
   *
   * @param <C> a structure with its weights
   */
  interface Candidates<C> {
    /** The structure for a target, or null when a signal asked to stop. */
    @Nullable C choose(PruningTarget target);

    /** What is left of the model. */
    TransformerConfig shape(C candidate);

    /** Publishes the full model under this directory, and gives its version directory. */
    Path publishFull(Path base);

    /** The same of a candidate. */
    Path publishSlim(C candidate, Path base);
  }

  /** Times on this machine, at the batch sizes and the length of the configuration. */
  SpeedupSearch(Path run, RunConfig config, RunContext context) {
    this(
        run,
        config,
        context,
        (full, slim) ->
            MeasuredSpeedup.of(
                context.storage(),
                full,
                slim,
                MeasuredSpeedup.Settings.quick(
                    config.pruning().batchSizes(), config.pruning().length(), config.threads())));
  }

  SpeedupSearch(Path run, RunConfig config, RunContext context, Stopwatch stopwatch) {
    this.run = run;
    this.config = config;
    this.context = context;
    this.stopwatch = stopwatch;
  }

  /**
   * The structure, or null when a signal asked to stop. A target other than a speed-up is met by
   * the choice itself.
   *
   * @param full shape of the unpruned model
   * @throws FailedException when no structure that was tried is within pruning.speedupTolerance
   */
  <C> @Nullable C search(PruningTarget target, TransformerConfig full, Candidates<C> candidates) {
    if (target.kind() != TargetKind.SPEEDUP) {
      return candidates.choose(target);
    }
    StagedDirectory.sweep(context.storage(), run);
    Path scratch = run.resolve("timing");
    discard(scratch); // of a start that was killed
    Path file = run.resolve(FILE);
    if (context.storage().exists(file)) {
      return candidates.choose(PruningTarget.speedup(plannedFor(file), target.tables(), full));
    }
    if (!settings().latencyTables().isEmpty()) {
      return byTables(target, full, candidates);
    }
    try {
      return corrected(target, full, candidates, scratch);
    } finally {
      discard(scratch);
    }
  }

  /** What this machine takes says nothing about the one that the tables are of. */
  private <C> @Nullable C byTables(
      PruningTarget target, TransformerConfig full, Candidates<C> candidates) {
    C candidate = candidates.choose(target);
    if (candidate == null) {
      return null;
    }
    double asked = Objects.requireNonNull(settings().target().speedup());
    TransformerConfig shape = candidates.shape(candidate);
    double told =
        target.tables().stream()
            .mapToDouble(table -> table.fullMs(full) / table.fullMs(shape))
            .min()
            .orElseThrow();
    String said = String.format(Locale.ROOT, "%.2fx by pruning.latencyTables", told);
    if (!within(told, asked)) {
      throw missed(asked, said);
    }
    context
        .console()
        .note(
            String.format(
                Locale.ROOT,
                "asked for %.2fx, got %s, not timed here; time the export where it shall serve,"
                    + " with lathe benchmark latency",
                asked,
                said));
    Map<String, Object> evidence = new LinkedHashMap<>();
    evidence.put("speedupByTables", told);
    evidence.put("latencyTables", settings().latencyTables());
    keep(asked, asked, evidence);
    return candidate;
  }

  private void discard(Path scratch) {
    if (context.storage().exists(scratch)) {
      StagedDirectory.discard(context.storage(), scratch);
    }
  }

  private <C> @Nullable C corrected(
      PruningTarget target, TransformerConfig full, Candidates<C> candidates, Path scratch) {
    double asked = Objects.requireNonNull(settings().target().speedup());
    double limit =
        target.tables().stream().mapToDouble(table -> table.speedupLimit(full)).min().orElseThrow();
    TargetCorrection correction = new TargetCorrection(asked, limit);
    Path whole = candidates.publishFull(scratch.resolve("full"));
    String tried = "nothing";
    for (int attempt = 0; attempt <= MAX_CORRECTIONS; attempt++) {
      PruningTarget current = reachable(correction.target(), target, full);
      if (current == null) {
        break; // the table knows of nothing faster
      }
      C candidate = candidates.choose(current);
      if (candidate == null) {
        return null;
      }
      MeasuredSpeedup measured =
          stopwatch.measure(
              whole, candidates.publishSlim(candidate, scratch.resolve("slim-" + attempt)));
      context
          .console()
          .note(String.format(Locale.ROOT, "asked for %.2fx, measured %s", asked, measured));
      if (within(measured.smallest(), asked)) {
        Map<String, Object> evidence = new LinkedHashMap<>(measured.facts());
        evidence.put("hardware", measured.hardware());
        keep(asked, correction.target(), evidence);
        return candidate;
      }
      tried = measured.toString();
      correction.missed(measured.smallest());
    }
    throw missed(asked, tried);
  }

  private FailedException missed(double asked, String got) {
    return new FailedException(
        String.format(
            Locale.ROOT,
            "pruning.target.speedup asks for %.2f, got %s at length %d, which is further off than"
                + " pruning.speedupTolerance (%s) allows. Ask for another speed-up, lower"
                + " pruning.roundTo, add kinds to pruning.gates, or raise the tolerance; what was"
                + " learned is kept in %s, and a new target needs a new run.",
            asked,
            got,
            settings().length(),
            settings().speedupTolerance(),
            run));
  }

  private static @Nullable PruningTarget reachable(
      double factor, PruningTarget target, TransformerConfig full) {
    try {
      return PruningTarget.speedup(factor, target.tables(), full);
    } catch (ConfigException e) {
      return null;
    }
  }

  private boolean within(double measured, double asked) {
    return Math.abs(measured / asked - 1) <= settings().speedupTolerance();
  }

  private void keep(double asked, double plannedFor, Map<String, Object> evidence) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("asked", asked);
    facts.put("plannedFor", plannedFor);
    facts.putAll(evidence);
    facts.put("length", settings().length());
    JsonFile.replace(context.storage(), run.resolve(FILE), facts);
  }

  /** What this run has found already. */
  private double plannedFor(Path file) {
    double asked = Objects.requireNonNull(settings().target().speedup());
    Map<String, Object> found = JsonFile.read(context.storage(), file);
    double before = number(found, "asked", file);
    if (before != asked) {
      throw new ConfigException(
          "pruning.target.speedup is "
              + asked
              + ", but "
              + run
              + " was begun for "
              + before
              + "; give --run another directory, or ask for the same");
    }
    return number(found, "plannedFor", file);
  }

  private static double number(Map<String, Object> found, String name, Path file) {
    if (found.get(name) instanceof Number number) {
      return number.doubleValue();
    }
    throw new CorruptFileException(file + ": expected a number as " + name);
  }

  /** What was measured of a run, for its outcome; empty where its target was no speed-up. */
  static Map<String, Object> facts(Path run, RunContext context) {
    Path file = run.resolve(FILE);
    if (!context.storage().exists(file)) {
      return Map.of();
    }
    return JsonFile.read(context.storage(), file);
  }

  private PruningSection settings() {
    return config.pruning();
  }
}
