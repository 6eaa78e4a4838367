package org.lathe.training.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.CompressionConfig;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.RecurrenceConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.batching.Batch;
import org.lathe.training.batching.Batches;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ScheduleConfig;

/** A language model of a few thousand values on random tokens, and what its steps said. */
record TinyTraining(TrainingTask<Batch> task, LoopConfig loop, int vocabularySize) {
  static final String HASH = "tiny";
  private static final int SEGMENT_LENGTH = 8;
  private static final int BATCH_SIZE = 4;
  private static final int BATCHES_PER_EPOCH = 6;

  /** Numbers of the steps that a trainer did, in order. */
  record Trace(List<Long> steps, List<Map<String, Double>> values) {
    Trace() {
      this(new ArrayList<>(), new ArrayList<>());
    }

    TrainingListener listener() {
      return new TrainingListener() {
        @Override
        public void onStep(long step, long ofSteps, Map<String, Double> said, double perSecond) {
          steps.add(step);
          values.add(Map.copyOf(said));
        }
      };
    }

    /** Without the first steps. */
    Trace from(int numSteps) {
      return new Trace(
          steps.subList(numSteps, steps.size()), values.subList(numSteps, values.size()));
    }

    /** Double.equals tells apart what Double.compare does. */
    void assertSame(Trace expected) {
      assertThat(steps).isEqualTo(expected.steps);
      for (int i = 0; i < steps.size(); i++) {
        assertThat(values.get(i)).as("step %s", steps.get(i)).isEqualTo(expected.values.get(i));
      }
    }
  }

  /** One layer of width 16 with dropout; memory joins after 3 steps. */
  static TinyTraining of(
      MemoryConfig memory, OptimizerConfig optimizer, int steps, int accumulation, int threads) {
    int vocabularySize = 11;
    TransformerConfig model =
        TransformerConfig.uniform(vocabularySize, 16, 1, 2, 32, SEGMENT_LENGTH).withDropout(0.1);
    ScheduleConfig schedule = new ScheduleConfig(ScheduleConfig.Kind.COSINE, 2, steps + 1, 0.1);
    return new TinyTraining(
        new LanguageModelTask(model, memory, optimizer, schedule, 1, 3),
        loop(BATCH_SIZE, SEGMENT_LENGTH, steps, accumulation, threads),
        vocabularySize);
  }

  /** The same as a recurrent model whose memory is a segment and a half. */
  static TinyTraining recurrent(CompressionConfig compression, int steps, int accumulation) {
    int vocabularySize = 11;
    TransformerConfig model =
        TransformerConfig.uniform(vocabularySize, 16, 2, 2, 32, 1).withDropout(0.1);
    return new TinyTraining(
        new RecurrentTask(
            model,
            RecurrenceConfig.of(12).withClampLength(10).withCompression(compression),
            MemoryConfig.of(MemoryConfig.MemoryObjective.LOCAL, 16),
            OptimizerConfig.adamW(0.01),
            ScheduleConfig.constant(),
            1,
            3),
        loop(BATCH_SIZE, SEGMENT_LENGTH, steps, accumulation, 1),
        vocabularySize);
  }

  static LoopConfig loop(
      int batchSize, int segmentLength, int steps, int accumulation, int threads) {
    return new LoopConfig(
        batchSize, segmentLength, steps, accumulation, 0, Long.MAX_VALUE, 2, 5, threads);
  }

  Trainer<Batch> trainer() {
    return new Trainer<>(task, loop);
  }

  /** Runs until the step, or to the end where it is not before it; saves there with a store. */
  Trainer.Ending run(
      Trainer<Batch> trainer, Trace trace, @Nullable CheckpointStore store, long until) {
    return trainer.run(
        batches(), null, store, HASH, trace.listener(), () -> trainer.step() >= until);
  }

  /** Random tokens, a function of the micro step. */
  Batches batches() {
    int batchSize = loop.batchSize();
    int length = loop.segmentLength();
    return new Batches() {
      @Override
      public Batch at(long microStep) {
        Random random = new Random(microStep * 7919 + 17);
        int[] tokens = random.ints(batchSize * length * 2L, 0, vocabularySize).toArray();
        int half = tokens.length / 2;
        return new Batch(
            batchSize,
            length,
            Arrays.copyOf(tokens, half),
            Arrays.copyOfRange(tokens, half, tokens.length),
            microStep % BATCHES_PER_EPOCH > 0);
      }

      @Override
      public int batchSize() {
        return batchSize;
      }

      @Override
      public int segmentLength() {
        return length;
      }

      @Override
      public long batchesPerEpoch() {
        return BATCHES_PER_EPOCH;
      }
    };
  }

  static void assertSame(Weights found, Weights expected) {
    assertThat(found.names()).isEqualTo(expected.names());
    for (String name : expected.names()) {
      assertThat(found.get(name).shape()).as(name).isEqualTo(expected.get(name).shape());
      // floats are compared by their bits
      assertThat(Arrays.equals(found.get(name).values(), expected.get(name).values()))
          .as("%s has the same bits", name)
          .isTrue();
    }
  }
}
