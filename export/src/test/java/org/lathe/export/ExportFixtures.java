package org.lathe.export;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.lathe.export.savedmodel.ExportRequest;
import org.lathe.graphs.config.Activation;
import org.lathe.graphs.config.AdaptiveVocabulary;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.NormPlacement;
import org.lathe.graphs.config.PositionEncoding;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.models.DecoderLanguageModel;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.weights.Weights;
import org.tensorflow.Graph;
import org.tensorflow.op.Ops;

/** Tiny models with random weights. */
public final class ExportFixtures {
  public static final int VOCABULARY = 50;
  public static final int HIDDEN = 16;
  public static final int MAX_POSITIONS = 24;

  private ExportFixtures() {}

  public static TransformerConfig uniform() {
    return TransformerConfig.uniform(VOCABULARY, HIDDEN, 2, 4, 32, MAX_POSITIONS);
  }

  /**
   * What slimming leaves: other heads and widths per layer, sublayers absent, an odd hidden size.
   */
  public static TransformerConfig slim() {
    return uniform()
        .withBlocks(13, List.of(new BlockShape(3, 7), new BlockShape(0, 20), new BlockShape(1, 0)));
  }

  public static TransformerConfig postNorm() {
    return uniform()
        .withStyle(NormPlacement.POST, PositionEncoding.LEARNED, Activation.GELU, false, false);
  }

  /** Clusters of words, some of which a short prompt does not meet. */
  public static TransformerConfig adaptive() {
    return uniform().withAdaptive(new AdaptiveVocabulary(List.of(10, 30), 2, true, 0.1));
  }

  public static MemoryConfig memory(MemoryObjective objective, TransformerConfig config) {
    return MemoryConfig.of(objective, config.tapWidth());
  }

  /** Normal values; gains around 1. */
  public static Weights randomWeights(TransformerConfig config, long seed) {
    Random random = new Random(seed);
    Weights weights = new Weights();
    try (Graph graph = new Graph()) {
      VariableCatalog catalog = new VariableCatalog(Ops.create(graph), seed);
      new DecoderLanguageModel(catalog, config);
      catalog
          .all()
          .forEach(
              variable -> {
                float[] values = new float[(int) variable.size()];
                boolean gain = variable.name().endsWith("gain");
                for (int i = 0; i < values.length; i++) {
                  values[i] = (float) ((gain ? 1 : 0) + 0.3 * random.nextGaussian());
                }
                weights.put(variable.name(), variable.shape(), values);
              });
    }
    return weights;
  }

  public static ExportRequest request(
      TransformerConfig config, MemoryObjective objective, Path baseDirectory) {
    return ExportRequest.of(
        config, memory(objective, config), randomWeights(config, 11), baseDirectory, 1);
  }

  public static int[] randomPrompt(Random random, int maxLength) {
    int[] prompt = new int[1 + random.nextInt(maxLength)];
    // few different words, so that memory values repeat
    int numWords = 2 + random.nextInt(VOCABULARY - 1);
    for (int t = 0; t < prompt.length; t++) {
      prompt[t] = random.nextInt(Math.min(numWords, VOCABULARY));
    }
    return prompt;
  }

  /** Relative path to content of every file below. */
  public static Map<String, byte[]> files(Path directory) {
    Map<String, byte[]> files = new TreeMap<>();
    try (Stream<Path> paths = Files.walk(directory, FileVisitOption.FOLLOW_LINKS)) {
      for (Path path : (Iterable<Path>) paths.filter(Files::isRegularFile)::iterator) {
        files.put(directory.relativize(path).toString(), Files.readAllBytes(path));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return files;
  }
}
