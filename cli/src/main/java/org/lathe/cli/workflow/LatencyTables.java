package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import org.lathe.cli.config.PruningSection;
import org.lathe.cli.config.RunConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.pruning.budget.LatencyTable;
import org.lathe.pruning.budget.LatencyTableFile;
import org.lathe.pruning.budget.SublayerTimer;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.training.files.IoGuard;

/** What shall be pruned to; a speed-up needs tables that are measured here, once a run. */
final class LatencyTables {
  static final int NUM_WARMUPS = 20;
  static final int NUM_RUNS = 60;

  private final Path run;
  private final RunConfig config;
  private final RunContext context;

  LatencyTables(Path run, RunConfig config, RunContext context) {
    this.run = run;
    this.config = config;
    this.context = context;
  }

  /**
   * The target of the configuration.
   *
   * @param full shape of the unpruned model
   * @param timer made only where something must be measured
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
    List<LatencyTable> tables =
        settings.batchSizes().stream().map(size -> table(full, timer, size)).toList();
    return PruningTarget.speedup(speedup, tables, full);
  }

  private LatencyTable table(TransformerConfig full, Supplier<SublayerTimer> timer, int batchSize) {
    Path file = run.resolve("latency-batch-" + batchSize + ".json");
    if (context.storage().exists(file)) {
      return IoGuard.call(
          context.storage(), "read", file, () -> LatencyTableFile.read(context.storage(), file));
    }
    int length = config.pruning().length();
    LatencyTable.Sizes sizes = LatencyTable.Sizes.of(batchSize, length, full);
    LatencyTable table;
    try (Progress progress = new Progress(context.console())) {
      String label = "measuring sublayers on this machine, batch " + batchSize;
      SublayerTimer bench = new Told(timer.get(), numMeasurements(full, sizes), label, progress);
      table =
          LatencyTable.measure(full, sizes, bench)
              .withHiddenIndependentShare(hiddenIndependentShare(full, bench, batchSize, length));
    }
    IoGuard.run(
        context.storage(),
        "write",
        file,
        () -> LatencyTableFile.write(context.storage(), file, table));
    return table;
  }

  /** Numbers of heads, widths, what is left, the whole, and four for the hidden size. */
  private static int numMeasurements(TransformerConfig full, LatencyTable.Sizes sizes) {
    int numSizes = full.blocks().get(0).numHeads() + sizes.feedForwardWidths().size();
    return LatencyTable.NUM_PASSES * numSizes + 6;
  }

  /** A timer that tells how far it is. */
  private static final class Told implements SublayerTimer {
    private final SublayerTimer timer;
    private final int total;
    private final String label;
    private final Progress progress;
    private int done;

    private Told(SublayerTimer timer, int total, String label, Progress progress) {
      this.timer = timer;
      this.total = total;
      this.label = label;
      this.progress = progress;
    }

    private double told(double ms) {
      done = Math.min(done + 1, total);
      progress.progress(label, done, total);
      return ms;
    }

    @Override
    public double attentionMs(TransformerConfig model, int batchSize, int length, int numHeads) {
      return told(timer.attentionMs(model, batchSize, length, numHeads));
    }

    @Override
    public double feedForwardMs(TransformerConfig model, int batchSize, int length, int width) {
      return told(timer.feedForwardMs(model, batchSize, length, width));
    }

    @Override
    public double otherMs(TransformerConfig model, int batchSize, int length) {
      return told(timer.otherMs(model, batchSize, length));
    }

    @Override
    public double wholeModelMs(TransformerConfig model, int batchSize, int length) {
      return told(timer.wholeModelMs(model, batchSize, length));
    }
  }

  /**
   * The part a of a sublayer's time that a smaller hidden size does not save, from the times at D
   * and D / 2: t(D / 2) / t(D) = a + (1 - a) / 2.
   */
  private static double hiddenIndependentShare(
      TransformerConfig full, SublayerTimer bench, int batchSize, int length) {
    TransformerConfig half = full.withBlocks(full.hiddenSize() / 2, full.blocks());
    int heads = full.blocks().get(0).numHeads();
    int width = full.blocks().get(0).intermediateSize();
    double whole =
        bench.attentionMs(full, batchSize, length, heads)
            + bench.feedForwardMs(full, batchSize, length, width);
    double halved =
        bench.attentionMs(half, batchSize, length, heads)
            + bench.feedForwardMs(half, batchSize, length, width);
    return Math.max(0, Math.min(1, 2 * halved / whole - 1));
  }
}
