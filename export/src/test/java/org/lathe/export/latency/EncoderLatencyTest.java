package org.lathe.export.latency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.lathe.testdata.TensorAssert.assertThatTensor;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.export.EncoderFixtures;
import org.lathe.export.savedmodel.EncoderExporter;
import org.lathe.export.savedmodel.ServingGraph;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.errors.FailedException;
import org.lathe.pruning.budget.LatencyTable;
import org.lathe.testdata.TestSession;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

final class EncoderLatencyTest {
  private final Storage storage = LocalStorage.INSTANCE;

  @TempDir Path directory;

  @Test
  void fullAndSlimAreCompared() {
    Path full = export(EncoderFixtures.bert(), "full");
    Path slim = export(EncoderFixtures.slim(), "slim");
    LatencyBench.Settings settings = LatencyBench.Settings.of(4, 12);
    LatencyComparison comparison = LatencyBench.compare(storage, full, slim, settings);
    assertThat(comparison.first().batchSize()).isEqualTo(4);
    assertThat(comparison.first().length()).isEqualTo(12);
    assertThat(comparison.speedUp())
        .isCloseTo(comparison.first().medianMs() / comparison.second().medianMs(), within(1e-12))
        .isBetween(comparison.speedUpLow(), comparison.speedUpHigh());
    LatencyReport report = LatencyBench.measure(storage, slim, settings);
    assertThat(report.medianMs())
        .isPositive()
        .isBetween(report.medianLowMs(), report.medianHighMs());
    // the length that was asked for is the length that is fed
    assertThatThrownBy(() -> LatencyBench.measure(storage, full, LatencyBench.Settings.of(1, 21)))
        .isInstanceOf(FailedException.class)
        .hasMessageContaining("1 to 20 ids");
  }

  @Test
  void sublayersOfAnEncoderFillALatencyTable() {
    EncoderConfig encoder = EncoderConfig.bert(50, 64, 2, 8, 512, 64);
    HeadConfig head = HeadConfig.classifier(encoder, 2);
    SublayerBench bench = new SublayerBench(encoder, head, 3, 15, 1);
    LatencyTable table =
        LatencyTable.measure(
            encoder.transformer(), new LatencyTable.Sizes(4, 64, List.of(32, 512)), bench);
    assertThat(table.numHeads()).isEqualTo(8);
    assertThat(table.feedForwardWidths()).containsExactly(0, 32, 512);
    assertThat(table.attentionMs().get(8)).isGreaterThan(table.attentionMs().get(1));
    assertThat(table.feedForwardMs().get(2)).isGreaterThan(table.feedForwardMs().get(1));
    assertThat(table.otherMs()).isPositive();
    assertThat(bench.wholeModelMs(encoder.transformer(), 4, 64)).isGreaterThan(table.otherMs());
  }

  /** What a whole call is timed on: three inputs, rows full, everything that is answered. */
  @Test
  void servingGraphIsTheDefaultSignature() {
    EncoderConfig encoder = EncoderFixtures.bert();
    try (TestSession session = new TestSession()) {
      Ops tf = session.tf();
      ServingGraph graph = ServingGraph.build(tf, encoder, HeadConfig.SPAN);
      assertThat(graph.inputs()).extracting(ServingGraph.Input::fullValue).containsExactly(0, 1, 0);
      assertThat(graph.outputs()).hasSize(2);
      assertThat(graph.variables())
          .hasSize(EncoderFixtures.randomWeights(encoder, HeadConfig.SPAN, 1).names().size());
    }
  }

  /** The mask that attention is given when served: a row each, broadcast over heads and queries. */
  @Test
  void fullRowsHideNothing() {
    try (TestSession session = new TestSession()) {
      EncoderConfig encoder = EncoderFixtures.bert();
      Operand<TFloat32> mask =
          ServedKind.encoder(encoder, HeadConfig.SPAN).mask(session.tf(), 2, 3);
      assertThat(mask.shape()).isEqualTo(Shape.of(2, 1, 1, 3));
      assertThatTensor(session.evaluate(mask)).isCloseTo(new double[6], 0);
    }
  }

  private Path export(EncoderConfig encoder, String name) {
    return EncoderExporter.export(
            storage,
            EncoderFixtures.request(
                encoder, EncoderFixtures.head("classes", encoder), directory.resolve(name)))
        .directory();
  }
}
