package org.lathe.export.latency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.export.ExportFixtures;
import org.lathe.export.savedmodel.LanguageModelExporter;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;

final class LatencyBenchTest {
  private final Storage storage = LocalStorage.INSTANCE;

  @TempDir Path directory;

  @Test
  void reportsAreConsistent() {
    Path full = export(ExportFixtures.uniform(), "full");
    Path slim = export(ExportFixtures.slim(), "slim");
    LatencyBench.Settings settings = LatencyBench.Settings.of(2, 8);
    LatencyReport report = LatencyBench.measure(storage, full, settings);
    assertThat(report.numRuns()).isEqualTo(50);
    assertThat(report.p5Ms()).isPositive().isLessThanOrEqualTo(report.medianMs());
    assertThat(report.medianMs()).isBetween(report.medianLowMs(), report.medianHighMs());
    assertThat(report.p95Ms()).isGreaterThanOrEqualTo(report.medianMs());
    assertThat(report.hardware()).contains("cores").contains("TensorFlow");

    LatencyComparison comparison = LatencyBench.compare(storage, full, slim, settings);
    assertThat(comparison.speedUp())
        .isCloseTo(comparison.first().medianMs() / comparison.second().medianMs(), within(1e-12))
        .isBetween(comparison.speedUpLow(), comparison.speedUpHigh());
  }

  @Test
  void tooFewRunsAreRefused() {
    assertThatThrownBy(() -> new LatencyBench.Settings(1, 1, 9, 50, 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new LatencyBench.Settings(1, 1, 10, 49, 0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void orderStatisticsByHand() {
    double[] values = new double[101];
    for (int i = 0; i < values.length; i++) {
      values[i] = (i * 37) % 101 + 1;
    }
    Samples samples = new Samples(values);
    assertThat(samples.median()).isEqualTo(51);
    assertThat(samples.percentile(0.05)).isEqualTo(6);
    assertThat(samples.percentile(0.95)).isEqualTo(96);
    // ranks floor(50.5 - 9.85) = 40 and ceil(51.5 + 9.85) = 62
    assertThat(samples.medianLow()).isEqualTo(40);
    assertThat(samples.medianHigh()).isEqualTo(62);
    assertThat(new Samples(new double[] {4, 1, 3, 2}).median()).isEqualTo(2.5);
    Samples doubled = new Samples(Arrays.stream(values).map(v -> 2 * v).toArray());
    double[] interval = Samples.ratioInterval(doubled, samples);
    assertThat(interval[0]).isLessThan(2).isGreaterThan(1);
    assertThat(interval[1]).isGreaterThan(2).isLessThan(4);
  }

  @Test
  void largerSublayersTakeLonger() {
    SublayerBench bench =
        new SublayerBench(
            org.lathe.graphs.config.MemoryConfig.of(
                org.lathe.graphs.config.MemoryConfig.MemoryObjective.LOCAL, 16),
            3,
            15,
            1);
    TransformerConfig config = TransformerConfig.uniform(50, 64, 1, 8, 64, 64);
    assertThat(bench.attentionMs(config, 4, 64, 0)).isZero();
    assertThat(bench.feedForwardMs(config, 4, 64, 0)).isZero();
    assertThat(bench.attentionMs(config, 4, 64, 8))
        .isGreaterThan(bench.attentionMs(config, 4, 64, 1));
    assertThat(bench.feedForwardMs(config, 4, 64, 2048))
        .isGreaterThan(bench.feedForwardMs(config, 4, 64, 32));
    assertThat(bench.wholeModelMs(config, 4, 64)).isPositive();
    assertThat(bench.otherMs(config, 4, 64)).isPositive();
  }

  private Path export(TransformerConfig config, String name) {
    return LanguageModelExporter.export(
            storage, ExportFixtures.request(config, MemoryObjective.LOCAL, directory.resolve(name)))
        .directory();
  }
}
