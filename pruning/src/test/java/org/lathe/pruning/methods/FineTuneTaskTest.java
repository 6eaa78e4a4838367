package org.lathe.pruning.methods;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.ScalarFeeds;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.pruning.Evaluate;
import org.lathe.training.batching.Batch;
import org.lathe.training.loop.BatchInput;
import org.lathe.training.loop.TrainingTask;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ScheduleConfig;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

class FineTuneTaskTest {
  private static final TransformerConfig FULL = TransformerConfig.uniform(30, 16, 3, 4, 24, 8);

  /** A layer without heads and units repeats what is below it and follows no teacher layer. */
  @Test
  void layersThatAreGoneAreNoStudents() {
    List<float[]> values =
        Evaluate.graph(
            (tf, catalog) ->
                List.of(
                    students(
                        new TrainingTask.Site(tf, catalog, new ScalarFeeds(tf), 1, 1, 1),
                        new BlockShape(2, 0),
                        new BlockShape(0, 0),
                        new BlockShape(0, 8))));
    assertThat(values.get(0)).containsExactly(1, 0, 1);
  }

  @Test
  void whereAllAreThereAllAreStudents() {
    try (Graph graph = new Graph()) {
      Ops tf = Ops.create(graph);
      TrainingTask.Site site =
          new TrainingTask.Site(tf, new VariableCatalog(tf, 1), new ScalarFeeds(tf), 1, 1, 1);
      assertThat(students(site, new BlockShape(2, 0), new BlockShape(4, 24), new BlockShape(0, 8)))
          .isNull();
    }
  }

  private static @Nullable Operand<TFloat32> students(
      TrainingTask.Site site, BlockShape... blocks) {
    Asked pair = new Asked(site);
    new FineTuneTask<Batch>(
            anySite -> pair,
            FULL.withBlocks(FULL.hiddenSize(), List.of(blocks)),
            OptimizerConfig.adamW(0.001),
            ScheduleConfig.constant(),
            1)
        .build(site);
    return pair.existsL;
  }

  /** Keeps what the task says of the student. */
  private static final class Asked implements DistillationPair<Batch> {
    private final Ops tf;
    private final Variable weight;
    private @Nullable Operand<TFloat32> existsL;

    private Asked(TrainingTask.Site site) {
      tf = site.tf();
      weight = site.catalog().declare("w", Shape.of(1), Initializer.zeros(), VariableGroup.MODEL);
    }

    @Override
    public BatchInput<Batch> input() {
      return (batch, feeds) -> {};
    }

    @Override
    public Loss loss(Gates gates, @Nullable Operand<TFloat32> asked, Dropout dropout) {
      existsL = asked;
      return new Loss(tf.constant(0f), Map.of());
    }

    @Override
    public Operand<TFloat32> validationLoss(Gates gates) {
      return tf.constant(0f);
    }

    @Override
    public List<Variable> trained() {
      return List.of(weight);
    }
  }
}
