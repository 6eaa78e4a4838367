package org.lathe.cli.workflow;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.slimming.EncoderShapes;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.pretrained.HfDirectoryWriter;
import org.lathe.training.pretrained.PretrainedEncoder;
import org.lathe.training.text.TokenizerDefinition;
import org.tensorflow.ndarray.Shape;

/** A pretrained encoder of two layers and ten words, and texts in them, for tests of commands. */
final class TinyEncoder {
  private static final List<String> WORDS =
      List.of("good", "great", "bad", "awful", "film", "plot", "the", "a", "was", "and");

  private TinyEncoder() {}

  /**
   * A configuration that starts from root/pretrained.
   *
   * @param task lines of the section, indented by two; %1$s is the root
   * @param training lines beside learning rate and warm-up
   * @param pruning lines beside rates, rounding and distillation
   */
  static Path writeConfig(Path root, String task, String training, String pruning)
      throws IOException {
    return Files.writeString(
        root.resolve("task.yaml"),
        """
        task:
          pretrained: %1$s/pretrained
          maxLength: 16
        """
                .formatted(root)
            + task.formatted(root)
            + """
            training:
              learningRate: 0.005
              warmupSteps: 0
            """
            + training
            + """
            pruning:
              learningRate: 0.002
              finetuneLearningRate: 0.002
              roundTo: 1
              distillation: {taskWeight: 0.0}
            """
            + pruning);
  }

  static String table(long seed, int numRows) {
    Random random = new Random(seed);
    StringBuilder table = new StringBuilder("review\tverdict\n");
    for (int i = 0; i < numRows; i++) {
      boolean positive = random.nextBoolean();
      List<String> words = new ArrayList<>();
      for (int w = 0; w < 3 + random.nextInt(4); w++) {
        words.add(WORDS.get(4 + random.nextInt(WORDS.size() - 4)));
      }
      words.add(
          random.nextInt(words.size() + 1), WORDS.get((positive ? 0 : 2) + random.nextInt(2)));
      table.append(String.join(" ", words)).append('\t').append(positive ? "yes" : "no");
      table.append('\n');
    }
    return table.toString();
  }

  static void writePretrained(Path directory) {
    List<String> vocabulary =
        new ArrayList<>(List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"));
    vocabulary.addAll(WORDS);
    EncoderConfig encoder = EncoderConfig.bert(vocabulary.size(), 16, 2, 2, 32, 16);
    Random random = new Random(3);
    Weights weights = new Weights();
    for (Map.Entry<String, Shape> entry : EncoderShapes.of(encoder, Encoder.PREFIX).entrySet()) {
      float[] values = new float[Math.toIntExact(entry.getValue().size())];
      for (int i = 0; i < values.length; i++) {
        values[i] = entry.getKey().endsWith("/gain") ? 1 : (float) (0.2 * random.nextGaussian());
      }
      weights.put(entry.getKey(), entry.getValue(), values);
    }
    HfDirectoryWriter.write(
        LocalStorage.INSTANCE,
        directory,
        new PretrainedEncoder(
            encoder,
            weights,
            null,
            TokenizerDefinition.fromVocabulary(vocabulary, true).json(),
            List.of()));
  }
}
