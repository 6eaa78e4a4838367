package org.lathe.training.loop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.DivergedException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.batching.Batch;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ScheduleConfig;

/** Numbers that are not finite end a run and never reach a checkpoint. */
class DivergenceTest {
  private static final int STEPS = 30;
  private static final int SAVE_EVERY = 1;
  private static final OptimizerConfig SANE = OptimizerConfig.nag(0.01, 0.9);

  @TempDir Path run;

  @ParameterizedTest
  @EnumSource(OptimizerConfig.Kind.class)
  void isCaughtOneStepAfterTheFirstValueThatIsNotFinite(OptimizerConfig.Kind kind) {
    TinyTraining training = unclipped(huge(kind, 1e20));
    long firstBad = 0;
    try (Trainer<Batch> trainer = training.trainer()) {
      DivergedException caught = null;
      while (caught == null && trainer.step() < STEPS) {
        try {
          trainer.advance(training.batches());
        } catch (DivergedException e) {
          caught = e;
        }
        if (firstBad == 0 && !isFinite(trainer.stateWeights())) {
          firstBad = trainer.step();
        }
      }
      assertThat(caught).isNotNull();
      assertThat(caught)
          .hasMessageContaining("training diverged at step " + trainer.step() + ": ")
          .hasMessageContaining("training.clipNorm");
      if (firstBad > 0) {
        assertThat(trainer.step()).isLessThanOrEqualTo(firstBad + 1);
      }
    }
  }

  /** The largest rates overflow in the very update, while loss and gradient are still finite. */
  @ParameterizedTest
  @ValueSource(doubles = {1e20, 1e30, 3e38})
  void leavesTheLastCheckpointAlone(double rate) throws IOException {
    Map<Path, ByteBuffer> before;
    TinyTraining sane = unclipped(SANE);
    try (Trainer<Batch> trainer = sane.trainer()) {
      sane.run(trainer, new TinyTraining.Trace(), store(), 4);
      before = files(run.resolve("checkpoints/step-4"));
      assertThat(before).hasSize(4);
    }
    TinyTraining wild = unclipped(huge(OptimizerConfig.Kind.NAG, rate));
    try (Trainer<Batch> trainer = wild.trainer()) {
      assertThat(trainer.resume(store(), TinyTraining.HASH)).isTrue();
      DivergedException caught =
          catchThrowableOfType(
              DivergedException.class,
              () -> wild.run(trainer, new TinyTraining.Trace(), store(), Long.MAX_VALUE));
      assertThat(caught).isNotNull();
      assertThat(caught.exitCode()).isEqualTo(4);
    }
    assertThat(files(run.resolve("checkpoints/step-4"))).isEqualTo(before);
    CheckpointStore.Checkpoint latest = store().latest().orElseThrow();
    assertThat(isFinite(store().read(latest)))
        .as("checkpoint of step %s at rate %s", latest.step(), rate)
        .isTrue();
  }

  /** Loss and gradient of the first step are finite, what the step leaves is not. */
  @Test
  void anOverflownUpdateIsNotSaved() {
    TinyTraining training = unclipped(OptimizerConfig.adamW(3e38).withWeightDecay(1));
    try (Trainer<Batch> trainer = training.trainer()) {
      assertThatThrownBy(
              () -> training.run(trainer, new TinyTraining.Trace(), store(), Long.MAX_VALUE))
          .isInstanceOf(DivergedException.class)
          .hasMessageContaining("training diverged at step 1: the variable ");
      assertThat(isFinite(trainer.stateWeights())).isFalse();
    }
    assertThat(store().latest()).isEmpty();
  }

  @Test
  void saneRateDoesNotDiverge() {
    TinyTraining training = unclipped(SANE);
    try (Trainer<Batch> trainer = training.trainer()) {
      training.run(trainer, new TinyTraining.Trace(), null, Long.MAX_VALUE);
      assertThat(isFinite(trainer.stateWeights())).isTrue();
    }
    assertThatThrownBy(() -> DivergenceGuard.check(3, Map.of("loss", Double.NaN)))
        .isInstanceOf(DivergedException.class)
        .hasMessageContaining("step 3: loss is NaN");
  }

  private static OptimizerConfig huge(OptimizerConfig.Kind kind, double rate) {
    return kind == OptimizerConfig.Kind.NAG
        ? OptimizerConfig.nag(rate, 0.9)
        : OptimizerConfig.adamW(rate);
  }

  private static TinyTraining unclipped(OptimizerConfig optimizer) {
    int vocabularySize = 11;
    TransformerConfig model = TransformerConfig.uniform(vocabularySize, 16, 1, 2, 32, 8);
    return new TinyTraining(
        new LanguageModelTask(
            model,
            MemoryConfig.of(MemoryObjective.LOCAL, 16),
            optimizer,
            ScheduleConfig.constant(),
            0,
            0),
        new LoopConfig(4, 8, STEPS, 1, 0, SAVE_EVERY, 100, 5, 1),
        vocabularySize);
  }

  private CheckpointStore store() {
    return new CheckpointStore(LocalStorage.INSTANCE, run, 100);
  }

  private static boolean isFinite(Weights weights) {
    for (String name : weights.names()) {
      for (float value : weights.get(name).values()) {
        if (!Float.isFinite(value)) {
          return false;
        }
      }
    }
    return true;
  }

  private static Map<Path, ByteBuffer> files(Path directory) throws IOException {
    Map<Path, ByteBuffer> files = new TreeMap<>();
    try (Stream<Path> children = Files.list(directory)) {
      for (Path child : children.toList()) {
        files.put(child, ByteBuffer.wrap(Files.readAllBytes(child)));
      }
    }
    return files;
  }
}
