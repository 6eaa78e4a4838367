package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.Random;
import org.lathe.export.verification.LoadedLanguageModel;
import org.lathe.export.verification.ReferenceScorer;
import org.lathe.training.data.TokenFile;
import org.lathe.training.files.Storage;

/** Compares a SavedModel with the training graph on prompts cut from real text. */
final class SavedModelParity {
  private static final int PROMPTS_PER_CALL = 16;

  private SavedModelParity() {}

  /**
   * Largest absolute difference in log-probability over all words of all prompts.
   *
   * @param maxLength prompts have 1 to maxLength tokens, and each call mixes lengths
   */
  static double maxDifference(
      Storage storage,
      Path savedModel,
      ReferenceScorer reference,
      TokenFile text,
      int numPrompts,
      int maxLength,
      long seed) {
    Random random = new Random(seed);
    double max = 0;
    try (LoadedLanguageModel model = LoadedLanguageModel.open(storage, savedModel)) {
      for (int done = 0; done < numPrompts; done += PROMPTS_PER_CALL) {
        int[][] prompts = new int[Math.min(PROMPTS_PER_CALL, numPrompts - done)][];
        for (int i = 0; i < prompts.length; i++) {
          prompts[i] = new int[1 + random.nextInt(maxLength)];
          int range = Math.toIntExact(text.size()) - prompts[i].length;
          text.read(random.nextInt(range), prompts[i], 0, prompts[i].length);
        }
        float[] found = model.nextLogProbabilities(prompts);
        float[][] expected = reference.nextLogProbabilities(prompts);
        int width = model.vocabularySize();
        for (int i = 0; i < prompts.length; i++) {
          for (int w = 0; w < width; w++) {
            max = Math.max(max, Math.abs(found[i * width + w] - expected[i][w]));
          }
        }
      }
    }
    return max;
  }
}
