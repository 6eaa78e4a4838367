package org.lathe.training.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Path;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.batching.Batch;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.optimization.OptimizerConfig;
import org.tensorflow.ndarray.Shape;

/** A checkpoint that does not belong to the run is refused as a whole. */
class ResumeRefusalTest {
  private static final int MAX_LISTED = 10;

  @TempDir Path run;
  private Trainer<Batch> trainer;
  private CheckpointStore store;

  @BeforeEach
  void open() {
    trainer =
        TinyTraining.of(
                MemoryConfig.of(MemoryObjective.LOCAL, 16), OptimizerConfig.adamW(0.01), 10, 1, 1)
            .trainer();
    store = new CheckpointStore(LocalStorage.INSTANCE, run, 2);
  }

  @AfterEach
  void close() {
    trainer.close();
  }

  @Test
  void anEmptyRunStartsFromNothing() {
    assertThat(trainer.resume(store, TinyTraining.HASH)).isFalse();
    assertThat(trainer.step()).isZero();
  }

  @Test
  void anotherConfiguration() {
    store.save(7, trainer.stateWeights(), Map.of(), "of another");
    assertThat(refusal())
        .contains("step-7", "hash of another", "this one is " + TinyTraining.HASH)
        .contains("another run directory");
  }

  @Test
  void renamedVariables() {
    store.save(7, renamed(name -> "old/" + name), Map.of(), TinyTraining.HASH);
    String message = refusal();
    assertThat(message).contains("step-7", " is missing (expected shape ", "; ...");
    assertThat(message.split("; ", -1)).as("names, and the dots").hasSize(MAX_LISTED + 1);
  }

  @Test
  void oneVariableOfAnotherShape() {
    Weights all = trainer.stateWeights();
    String chosen =
        all.names().stream()
            .filter(name -> all.get(name).shape().equals(Shape.of(16)))
            .findFirst()
            .orElseThrow();
    Weights other = new Weights();
    for (String n : all.names()) {
      other.put(n, n.equals(chosen) ? Shape.of(4, 4) : all.get(n).shape(), all.get(n).values());
    }
    store.save(7, other, Map.of(), TinyTraining.HASH);
    assertThat(refusal())
        .contains("1 differences: " + chosen + ": expected shape [16], found [4, 4]");
  }

  @Test
  void oneVariableTooManyOrTooFew() {
    Weights all = trainer.stateWeights();
    store.save(7, all.put("extra", Shape.of(1), new float[1]), Map.of(), TinyTraining.HASH);
    assertThat(refusal()).contains("1 differences: extra is not in the graph");
    Weights few = new Weights();
    String missing = all.names().iterator().next();
    for (String name : trainer.stateWeights().names()) {
      if (!name.equals(missing)) {
        few.put(name, all.get(name).shape(), all.get(name).values());
      }
    }
    store.save(8, few, Map.of(), TinyTraining.HASH);
    assertThat(refusal()).contains("1 differences: " + missing + " is missing");
  }

  private Weights renamed(UnaryOperator<String> rename) {
    Weights all = trainer.stateWeights();
    Weights renamed = new Weights();
    for (String name : all.names()) {
      renamed.put(rename.apply(name), all.get(name).shape(), all.get(name).values());
    }
    return renamed;
  }

  /** The message; nothing was restored. */
  private String refusal() {
    Weights before = trainer.stateWeights();
    GraphMismatchException refused =
        catchThrowableOfType(
            GraphMismatchException.class, () -> trainer.resume(store, TinyTraining.HASH));
    assertThat(refused).isNotNull();
    assertThat(refused.exitCode()).isEqualTo(3);
    assertThat(trainer.step()).isZero();
    TinyTraining.assertSame(trainer.stateWeights(), before);
    return String.valueOf(refused.getMessage());
  }
}
