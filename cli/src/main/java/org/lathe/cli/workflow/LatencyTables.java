package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.lathe.cli.config.PruningSection;
import org.lathe.cli.config.RunConfig;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.pruning.budget.LatencyTable;
import org.lathe.pruning.budget.LatencyTableFile;
import org.lathe.pruning.budget.SublayerTimer;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateKind;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/**
 * What shall be pruned to. A speed-up needs a table for each batch size: those of
 * pruning.latencyTables, measured where the model shall serve, or else measured here. Either way
 * RUN keeps its own, so that a resumed run goes by the same times.
 */
final class LatencyTables {
  private final Path run;
  private final RunConfig config;
  private final RunContext context;

  LatencyTables(Path run, RunConfig config, RunContext context) {
    this.run = run;
    this.config = config;
    this.context = context;
  }

  /** Where a directory keeps the table of a batch size. */
  static Path file(Path directory, int batchSize) {
    return directory.resolve("latency-batch-" + batchSize + ".json");
  }

  static void write(Storage storage, Path file, LatencyTable table) {
    IoGuard.run(storage, "write", file, () -> LatencyTableFile.write(storage, file, table));
  }

  private static LatencyTable read(Storage storage, Path file) {
    return IoGuard.call(storage, "read", file, () -> LatencyTableFile.read(storage, file));
  }

  /**
   * The target of the configuration.
   *
   * @param full shape of the unpruned model
   * @param timer made only where something must be measured
   * @throws ConfigException when a given table is of another model, batch size or length, or not
   *     that with which the run was begun
   */
  PruningTarget target(TransformerConfig full, Supplier<SublayerTimer> timer) {
    PruningSection settings = config.pruning();
    Double sparsity = settings.target().sparsity();
    if (sparsity != null) {
      return PruningTarget.sparsity(sparsity);
    }
    Long parameters = settings.target().parameters();
    if (parameters != null) {
      return PruningTarget.parameters(parameters, full);
    }
    double speedup = Objects.requireNonNull(settings.target().speedup());
    List<Given> given = settings.latencyTables().stream().map(path -> given(path, full)).toList();
    List<LatencyTable> tables =
        settings.batchSizes().stream().map(size -> table(full, given, timer, size)).toList();
    return PruningTarget.speedup(speedup, tables, full);
  }

  /** A table of pruning.latencyTables. */
  private record Given(String path, LatencyTable table) {}

  private Given given(String path, TransformerConfig full) {
    if (!context.storage().exists(Path.of(path))) {
      throw new ConfigException(
          "pruning.latencyTables: no file "
              + path
              + "; measure it with 'lathe benchmark sublayers', where the model shall serve");
    }
    LatencyTable table = read(context.storage(), Path.of(path));
    requireFits(path, table, full);
    return new Given(path, table);
  }

  private void requireFits(String path, LatencyTable table, TransformerConfig full) {
    BlockShape block = GateKind.requireUniform(full);
    requireEqual(path, "length", table.length(), config.pruning().length());
    requireEqual(path, "hidden size", table.hiddenSize(), full.hiddenSize());
    requireEqual(path, "number of heads", table.numHeads(), block.numHeads());
    requireEqual(path, "feed-forward width", table.maxFeedForwardWidth(), block.intermediateSize());
  }

  private static void requireEqual(String path, String what, int found, int expected) {
    if (found != expected) {
      throw new ConfigException(
          "latency table %s is of %s %d; expected %d. Measure one with 'lathe benchmark sublayers', or give --run another directory."
              .formatted(path, what, found, expected));
    }
  }

  private LatencyTable table(
      TransformerConfig full, List<Given> given, Supplier<SublayerTimer> timer, int batchSize) {
    Storage storage = context.storage();
    Path file = file(run, batchSize);
    Optional<Given> own =
        given.stream().filter(one -> one.table().batchSize() == batchSize).findFirst();
    if (!given.isEmpty() && own.isEmpty()) {
      throw new ConfigException(
          "pruning.latencyTables has no table of batch size %d, which pruning.batchSizes asks for; measure it with 'lathe benchmark sublayers --batch %d'"
              .formatted(batchSize, batchSize));
    }
    if (storage.exists(file)) {
      LatencyTable begun = read(storage, file);
      requireFits(file.toString(), begun, full);
      if (own.isPresent() && !own.get().table().equals(begun)) {
        throw new ConfigException(
            "pruning.latencyTables: %s holds other times than %s, with which this run was begun. Give --run another directory, or repeat the run's own table."
                .formatted(own.get().path(), file));
      }
      return begun;
    }
    LatencyTable table =
        own.map(Given::table)
            .orElseGet(
                () ->
                    LatencyMeasurement.measure(
                        full,
                        batchSize,
                        config.pruning().length(),
                        timer.get(),
                        context.console()));
    write(storage, file, table);
    return table;
  }
}
