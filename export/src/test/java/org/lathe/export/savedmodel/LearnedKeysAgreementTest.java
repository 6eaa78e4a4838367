package org.lathe.export.savedmodel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.export.verification.GraphReference;
import org.lathe.export.verification.LoadedLanguageModel;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.batching.Batch;
import org.lathe.training.datastore.ModelEncoder;
import org.lathe.training.evaluation.LanguageModelScorer;
import org.lathe.training.evaluation.MemoryEvaluation;
import org.lathe.training.evaluation.ScoredText;
import org.lathe.training.evaluation.SlidingWindows;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.loop.LanguageModelTask;
import org.lathe.training.loop.LoopConfig;
import org.lathe.training.loop.Trainer;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.MemoryScan;
import org.lathe.training.memory.Mixing;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ScheduleConfig;

/** One model with learned keys: whoever computes its probabilities finds the same ones. */
final class LearnedKeysAgreementTest {
  private static final int LENGTH = 20;
  private static final int KEY_SIZE = 5;
  private static final TransformerConfig MODEL =
      TransformerConfig.uniform(12, 16, 2, 2, 32, LENGTH).withKeySize(KEY_SIZE);
  private static final MemoryConfig MEMORY =
      MemoryConfig.of(MemoryObjective.LOCAL, MODEL.tapWidth());

  @TempDir Path directory;

  @Test
  void trainingScorerEncoderReferenceAndExportAgree() {
    int[] tokens = new Random(4).ints(LENGTH + 1, 0, 12).toArray();
    int[] inputs = Arrays.copyOf(tokens, LENGTH);
    int[] targets = Arrays.copyOfRange(tokens, 1, LENGTH + 1);
    Weights weights;
    double trained;
    try (Trainer<Batch> trainer =
        new Trainer<>(
            new LanguageModelTask(
                MODEL, MEMORY, OptimizerConfig.adamW(0.01), ScheduleConfig.constant(), 0, 0),
            new LoopConfig(1, LENGTH, 1, 1, 0, 1, 1, 3, 1))) {
      weights = trainer.modelWeights();
      trained = trainer.validationLoss(List.of(new Batch(1, LENGTH, inputs, targets)));
    }
    assertThat(weights.names()).contains("decoder/memory/projection/kernel");

    ScoredText text = scored(weights, tokens);
    assertThat(text.width()).isEqualTo(KEY_SIZE);
    MemoryEvaluation.Measured measured =
        MemoryEvaluation.measure(
            text,
            new MemoryScan(text, MEMORY.scoreScale(), 0),
            null,
            MemoryMixing.recentOnly(Mixing.shared(1)));
    assertThat(Math.log(measured.perplexity())).isCloseTo(trained, within(1e-5));
    assertThat(measured.meanMemoryShare()).isGreaterThan(0.1);
    try (ModelEncoder encoder = new ModelEncoder(MODEL, weights, "test", 1)) {
      assertThat(encoder.width()).isEqualTo(KEY_SIZE);
      assertThat(encoder.encode(inputs, 1, LENGTH))
          .containsExactly(text.taps().get(0), within(1e-5f));
    }

    ExportedModel exported =
        LanguageModelExporter.export(
            LocalStorage.INSTANCE,
            ExportRequest.of(MODEL, MEMORY, weights, directory.resolve("m"), 1));
    try (LoadedLanguageModel served =
            LoadedLanguageModel.open(LocalStorage.INSTANCE, exported.directory());
        GraphReference reference = new GraphReference(MODEL, MEMORY, weights, 1)) {
      float[] scores = served.score(new int[][] {inputs});
      for (int t = 0; t < LENGTH; t++) {
        double expected = measured.logProbabilities()[t];
        int[][] prefix = {Arrays.copyOf(inputs, t + 1)};
        assertThat((double) reference.nextLogProbabilities(prefix)[0][targets[t]])
            .isCloseTo(expected, within(1e-5));
        assertThat((double) served.nextLogProbabilities(prefix)[targets[t]])
            .isCloseTo(expected, within(1e-5));
        if (t + 1 < LENGTH) {
          assertThat((double) scores[t]).isCloseTo(expected, within(1e-5));
        }
      }
    }
  }

  private static ScoredText scored(Weights weights, int[] tokens) {
    try (LanguageModelScorer scorer = new LanguageModelScorer(MODEL, weights, "test", 1)) {
      return scorer.score(tokens, new SlidingWindows(LENGTH, LENGTH), (what, done, total) -> {});
    }
  }
}
