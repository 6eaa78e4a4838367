package org.lathe.export.latency;

import java.nio.file.Path;
import java.util.Map;
import org.lathe.export.format.EncoderSignatures;
import org.lathe.export.format.SavedModelInspector;
import org.lathe.export.verification.LoadedEncoder;
import org.lathe.export.verification.LoadedLanguageModel;
import org.lathe.training.files.Storage;

/** An opened model of any kind and one full batch for its default signature. */
interface TimedCall extends AutoCloseable {

  /** Makes the call; returns how many values it gave. */
  long run();

  @Override
  void close();

  static TimedCall open(Storage storage, Path directory, LatencyBench.Settings settings) {
    return LoadedEncoder.isEncoder(SavedModelInspector.inspect(storage, directory))
        ? ofEncoder(LoadedEncoder.open(storage, directory, settings.session()), settings)
        : ofLanguageModel(
            LoadedLanguageModel.open(storage, directory, settings.session()), settings);
  }

  private static TimedCall ofLanguageModel(
      LoadedLanguageModel model, LatencyBench.Settings settings) {
    int[][] rows = rows(settings, model.vocabularySize());
    return new TimedCall() {
      @Override
      public long run() {
        return model.nextLogProbabilities(rows).length;
      }

      @Override
      public void close() {
        model.close();
      }
    };
  }

  private static TimedCall ofEncoder(LoadedEncoder model, LatencyBench.Settings settings) {
    Map<String, int[][]> inputs =
        model.padded(
            rows(settings, model.facts().vocabularySize()),
            new int[settings.batchSize()][settings.length()]);
    return new TimedCall() {
      @Override
      public long run() {
        return model.run(EncoderSignatures.SERVING, inputs).values().stream()
            .mapToLong(values -> values.length)
            .sum();
      }

      @Override
      public void close() {
        model.close();
      }
    };
  }

  private static int[][] rows(LatencyBench.Settings settings, int vocabularySize) {
    int[][] rows = new int[settings.batchSize()][settings.length()];
    for (int i = 0; i < rows.length; i++) {
      for (int t = 0; t < rows[i].length; t++) {
        rows[i][t] = (int) ((t * 7_919L + i * 104_729L) % vocabularySize);
      }
    }
    return rows;
  }
}
