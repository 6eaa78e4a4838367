package org.lathe.cli.workflow;

import org.lathe.cli.progress.Console;
import org.lathe.export.latency.SublayerBench;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.pruning.budget.LatencyTable;
import org.lathe.pruning.budget.SublayerTimer;

/** Measures latency tables on this machine, and tells how far it is. */
final class LatencyMeasurement {
  private static final int NUM_WARMUPS = 20;
  private static final int NUM_RUNS = 60;

  private LatencyMeasurement() {}

  /**
   * What times the sublayers of a run's model, as they are served.
   *
   * @param threads of TensorFlow; 0 = one per core
   */
  static SublayerTimer timer(RunRecord record, int threads) {
    EncoderRecord encoder = record.encoder();
    return encoder == null
        ? new SublayerBench(record.memory(), NUM_WARMUPS, NUM_RUNS, threads)
        : new SublayerBench(encoder.config(), encoder.head(), NUM_WARMUPS, NUM_RUNS, threads);
  }

  /**
   * One table, in a minute or two.
   *
   * @param full shape of the unpruned model
   */
  static LatencyTable measure(
      TransformerConfig full, int batchSize, int length, SublayerTimer timer, Console console) {
    LatencyTable.Sizes sizes = LatencyTable.Sizes.of(batchSize, length, full);
    try (Progress progress = new Progress(console)) {
      String label = "measuring sublayers on this machine, batch " + batchSize;
      SublayerTimer bench = new Told(timer, numMeasurements(full, sizes), label, progress);
      return LatencyTable.measure(full, sizes, bench)
          .withHiddenIndependentShare(hiddenIndependentShare(full, bench, batchSize, length));
    }
  }

  /** Numbers of heads, widths, what is left, the whole, and four for the hidden size. */
  private static int numMeasurements(TransformerConfig full, LatencyTable.Sizes sizes) {
    int numSizes = full.blocks().get(0).numHeads() + sizes.feedForwardWidths().size();
    return LatencyTable.NUM_PASSES * (numSizes + 6);
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
    double whole = Double.POSITIVE_INFINITY;
    double halved = Double.POSITIVE_INFINITY;
    for (int pass = 0; pass < LatencyTable.NUM_PASSES; pass++) {
      whole =
          Math.min(
              whole,
              bench.attentionMs(full, batchSize, length, heads)
                  + bench.feedForwardMs(full, batchSize, length, width));
      halved =
          Math.min(
              halved,
              bench.attentionMs(half, batchSize, length, heads)
                  + bench.feedForwardMs(half, batchSize, length, width));
    }
    return Math.max(0, Math.min(1, 2 * halved / whole - 1));
  }
}
