package org.lathe.export.latency;

import com.google.common.base.Preconditions;
import java.nio.file.Path;
import org.lathe.training.files.Storage;
import org.tensorflow.proto.ConfigProto;

/**
 * Times the default signature of exported models, language models and encoders, feeding and
 * fetching included, all rows full (promise E6: at least 10 warm-ups and 50 runs, median with its
 * 95 % interval, hardware).
 */
public final class LatencyBench {
  public static final int MIN_WARMUPS = 10;
  public static final int MIN_RUNS = 50;

  private static final double NANOS_PER_MS = 1e6;

  /**
   * How to measure.
   *
   * @param batchSize rows a call
   * @param length ids a row
   * @param numWarmups calls that are not counted, at least 10
   * @param numRuns calls that are, at least 50
   * @param numThreads of TensorFlow; 0 = as many as cores
   */
  public record Settings(int batchSize, int length, int numWarmups, int numRuns, int numThreads) {
    public Settings {
      Preconditions.checkArgument(
          batchSize > 0 && length > 0,
          "batchSize (%s) and length (%s) must be positive",
          batchSize,
          length);
      Preconditions.checkArgument(
          numWarmups >= MIN_WARMUPS, "numWarmups (%s) must be at least 10", numWarmups);
      Preconditions.checkArgument(numRuns >= MIN_RUNS, "numRuns (%s) must be at least 50", numRuns);
      Preconditions.checkArgument(numThreads >= 0, "numThreads must not be negative");
    }

    /** 10 warm-ups, 50 runs, as many threads as cores. */
    public static Settings of(int batchSize, int length) {
      return new Settings(batchSize, length, MIN_WARMUPS, MIN_RUNS, 0);
    }

    ConfigProto session() {
      return ConfigProto.newBuilder()
          .setIntraOpParallelismThreads(numThreads)
          .setInterOpParallelismThreads(numThreads)
          .build();
    }
  }

  private LatencyBench() {}

  /**
   * @param versionDirectory models/NAME/VERSION
   * @throws org.lathe.graphs.errors.LatheException when it does not open or refuses the length
   */
  public static LatencyReport measure(Storage storage, Path versionDirectory, Settings settings) {
    String hardware = HardwareFile.describe(storage, settings.numThreads());
    try (TimedCall call = TimedCall.open(storage, versionDirectory, settings)) {
      for (int i = 0; i < settings.numWarmups(); i++) {
        timeMs(call);
      }
      double[] times = new double[settings.numRuns()];
      for (int i = 0; i < times.length; i++) {
        times[i] = timeMs(call);
      }
      return report(settings, new Samples(times), hardware);
    }
  }

  /**
   * Both models in one process in turns, A B A B, so that what else the machine does meets both.
   *
   * @param first for instance the full model
   * @param second for instance the slim one
   * @throws org.lathe.graphs.errors.LatheException as above
   */
  public static LatencyComparison compare(
      Storage storage, Path first, Path second, Settings settings) {
    String hardware = HardwareFile.describe(storage, settings.numThreads());
    try (TimedCall a = TimedCall.open(storage, first, settings);
        TimedCall b = TimedCall.open(storage, second, settings)) {
      for (int i = 0; i < settings.numWarmups(); i++) {
        timeMs(a);
        timeMs(b);
      }
      double[] timesA = new double[settings.numRuns()];
      double[] timesB = new double[settings.numRuns()];
      for (int i = 0; i < settings.numRuns(); i++) {
        timesA[i] = timeMs(a);
        timesB[i] = timeMs(b);
      }
      Samples samplesA = new Samples(timesA);
      Samples samplesB = new Samples(timesB);
      double[] interval = Samples.ratioInterval(samplesA, samplesB);
      return new LatencyComparison(
          report(settings, samplesA, hardware),
          report(settings, samplesB, hardware),
          samplesA.median() / samplesB.median(),
          interval[0],
          interval[1]);
    }
  }

  private static LatencyReport report(Settings settings, Samples samples, String hardware) {
    return new LatencyReport(
        settings.batchSize(),
        settings.length(),
        samples.size(),
        samples.median(),
        samples.percentile(0.05),
        samples.percentile(0.95),
        samples.medianLow(),
        samples.medianHigh(),
        hardware);
  }

  private static double timeMs(TimedCall call) {
    long start = System.nanoTime();
    long numValues = call.run();
    long end = System.nanoTime();
    Preconditions.checkState(numValues > 0, "a call gave no values");
    return (end - start) / NANOS_PER_MS;
  }
}
