package org.lathe.training.loop;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.batching.Batch;
import org.lathe.training.evaluation.LanguageModelScorer;
import org.lathe.training.evaluation.ScoredText;
import org.lathe.training.evaluation.SlidingWindows;
import org.lathe.training.memory.MemoryMass;
import org.lathe.training.memory.MemoryScan;
import org.lathe.training.memory.Mixing;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ScheduleConfig;

/** TRIME learns to look up what attention cannot see; a vanilla model cannot. */
class DictionaryLearningTest {
  private static final int STEPS = 600;
  private static final int WIDTH = 64;
  private static final TransformerConfig MODEL =
      TransformerConfig.uniform(
          DictionaryTask.VOCABULARY_SIZE, WIDTH, 1, 2, 128, DictionaryTask.SEGMENT_LENGTH);

  @Test
  void onlyTrainedLongMemoryAnswersAcrossSegments() {
    MemoryConfig longMemory =
        new MemoryConfig(MemoryObjective.CONSECUTIVE, 1 / Math.sqrt(WIDTH), 0, 2);
    ScoredText trime = train(longMemory);
    ScoredText vanilla = train(MemoryConfig.of(MemoryObjective.NONE, WIDTH));

    double vanillaNll = valueNll(vanilla, 0, null);
    double trimeNll = valueNll(trime, DictionaryTask.SEGMENT_LENGTH, Mixing.shared(1));
    double trimeWithoutMemory = valueNll(trime, 0, null);
    double cacheNll = valueNll(vanilla, DictionaryTask.SEGMENT_LENGTH, Mixing.linear(0.2, 0.5));
    System.out.printf(
        "dictionary: vanilla %.3f, vanilla with cache %.3f, TRIME long %.4f, without memory %.3f%n",
        vanillaNll, cacheNll, trimeNll, trimeWithoutMemory);

    assertThat(vanillaNll).as("vanilla, floor ln 64 = 4.159").isBetween(4.1, 4.3);
    assertThat(trimeNll).as("TRIME long").isLessThan(0.05);
    assertThat(trimeWithoutMemory).as("TRIME long, memory hidden").isBetween(4.1, 4.6);
    assertThat(cacheNll).as("vanilla with cache").isBetween(trimeNll, vanillaNll);
    assertThat(shuffledNll(trime)).as("memory values shuffled").isGreaterThan(4);
  }

  private static ScoredText train(MemoryConfig memory) {
    LanguageModelTask task =
        new LanguageModelTask(
            MODEL, memory, OptimizerConfig.adamW(2e-3), ScheduleConfig.constant(), 1, STEPS / 10);
    DictionaryTask batches = new DictionaryTask(1);
    LoopConfig loop =
        new LoopConfig(
            batches.batchSize(), DictionaryTask.SEGMENT_LENGTH, STEPS, 1, 0, STEPS, 1, 7, 0);
    Weights weights;
    try (Trainer<Batch> trainer = new Trainer<>(task, loop)) {
      trainer.run(batches, null, null, "", new TrainingListener() {}, () -> false);
      weights = trainer.modelWeights();
    }
    try (LanguageModelScorer scorer = new LanguageModelScorer(MODEL, weights, "test", 0)) {
      return scorer.score(
          freshText(),
          new SlidingWindows(DictionaryTask.SEGMENT_LENGTH, DictionaryTask.SEGMENT_LENGTH),
          (what, done, total) -> {});
    }
  }

  /** 32 documents never trained on, one after the other. */
  private static int[] freshText() {
    DictionaryTask fresh = new DictionaryTask(99);
    int perBatch = fresh.batchSize() * DictionaryTask.SEGMENT_LENGTH;
    int[] tokens = new int[4 * perBatch + 1];
    for (int b = 0; b < 4; b++) {
      Batch batch = fresh.at(b);
      System.arraycopy(batch.inputs(), 0, tokens, b * perBatch, perBatch);
      tokens[(b + 1) * perBatch] = batch.targets()[perBatch - 1];
    }
    return tokens;
  }

  private static double valueNll(
      ScoredText text, int longTermItems, @org.jspecify.annotations.Nullable Mixing mixing) {
    double[] sum = new double[2];
    new MemoryScan(text, 1 / Math.sqrt(WIDTH), longTermItems)
        .forEach(
            text.numPositions(),
            (position, scores, values, numItems) -> {
              if (DictionaryTask.predictsSecondValue(position)) {
                sum[0] -=
                    mixing == null
                        ? text.vocabularyLogProbability(position)
                        : mixing.logProbability(
                            text.vocabularyMass()[position],
                            text.targetLogits()[position],
                            MemoryMass.of(
                                scores,
                                values,
                                0,
                                numItems,
                                text.targets()[position],
                                mixing.temperature()));
                sum[1]++;
              }
            });
    return sum[0] / sum[1];
  }

  /** The same keys with foreign values must not help. */
  private static double shuffledNll(ScoredText text) {
    int[] shuffled = text.targets().clone();
    Random random = new Random(3);
    for (int i = 0; i < shuffled.length; i++) {
      if (shuffled[i] >= DictionaryTask.NUM_KEYS
          && shuffled[i] < DictionaryTask.NUM_KEYS + DictionaryTask.NUM_VALUES) {
        shuffled[i] = DictionaryTask.NUM_KEYS + random.nextInt(DictionaryTask.NUM_VALUES);
      }
    }
    double[] sum = new double[2];
    new MemoryScan(text, 1 / Math.sqrt(WIDTH), DictionaryTask.SEGMENT_LENGTH)
        .forEach(
            text.numPositions(),
            (position, scores, values, numItems) -> {
              if (DictionaryTask.predictsSecondValue(position)) {
                int oldest = position - numItems;
                int[] foreign = java.util.Arrays.copyOfRange(shuffled, oldest, oldest + numItems);
                MemoryMass mass =
                    MemoryMass.of(scores, foreign, 0, numItems, text.targets()[position], 1);
                sum[0] -=
                    Mixing.shared(1)
                        .logProbability(
                            text.vocabularyMass()[position], text.targetLogits()[position], mass);
                sum[1]++;
              }
            });
    return sum[0] / sum[1];
  }
}
