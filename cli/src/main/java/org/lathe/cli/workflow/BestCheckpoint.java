package org.lathe.cli.workflow;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.loop.Trainer;
import org.lathe.training.loop.Validation;
import org.lathe.training.metrics.Metric;
import org.lathe.training.metrics.TaskMetrics;

/**
 * Scores the validation split while training, and keeps the model that was best there: RUN/best. A
 * resumed run finds the best so far where it left it.
 */
final class BestCheckpoint implements Validation<ExampleBatch> {
  private static final String SELECTION = "selection";

  private final TaskMetrics metrics;
  private final Function<Trainer<ExampleBatch>, Map<Metric, Double>> scores;
  private final CheckpointStore store;
  private final String configHash;
  private double best;

  /**
   * @param scores of a trainer's model
   * @param store of the best model, and nothing else
   */
  BestCheckpoint(
      TaskMetrics metrics,
      Function<Trainer<ExampleBatch>, Map<Metric, Double>> scores,
      CheckpointStore store,
      String configHash) {
    this.metrics = metrics;
    this.scores = scores;
    this.store = store;
    this.configHash = configHash;
    this.best = store.latest().map(BestCheckpoint::selection).orElse(Double.NEGATIVE_INFINITY);
  }

  private static double selection(CheckpointStore.Checkpoint checkpoint) {
    return checkpoint.state().get(SELECTION) instanceof Number number
        ? number.doubleValue()
        : Double.NEGATIVE_INFINITY;
  }

  @Override
  public Map<String, Double> measure(Trainer<ExampleBatch> trainer) {
    Map<String, Double> named = new LinkedHashMap<>();
    Map<Metric, Double> found = scores.apply(trainer);
    found.forEach((metric, value) -> named.put(metric.word(), value));
    double selection = metrics.selection(found);
    if (selection > best) {
      best = selection;
      Map<String, Object> state = new LinkedHashMap<>(named);
      state.put(SELECTION, selection);
      store.saveOnly(trainer.step(), trainer.modelWeights(), state, configHash);
    }
    return named;
  }

  /** Where the best model lies, with its scores; empty before the first validation. */
  Optional<CheckpointStore.Checkpoint> kept() {
    return store.latest();
  }
}
