package org.lathe.export;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.lathe.export.savedmodel.EncoderExportRequest;
import org.lathe.graphs.config.Activation;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.NormPlacement;
import org.lathe.graphs.config.PositionEncoding;
import org.lathe.graphs.models.EncoderModel;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.weights.Weights;
import org.tensorflow.Graph;
import org.tensorflow.op.Ops;

/** Tiny encoders with random weights. */
public final class EncoderFixtures {
  public static final int VOCABULARY = 40;
  public static final int MAX_LENGTH = 20;
  public static final int PADDING = 3;
  public static final int NUM_CLASSES = 3;

  private EncoderFixtures() {}

  public static EncoderConfig bert() {
    return EncoderConfig.bert(VOCABULARY, 16, 2, 4, 24, MAX_LENGTH);
  }

  /** Heads and widths per layer, sublayers absent, an odd hidden size; the pooler as it was. */
  public static EncoderConfig slim() {
    return bert()
        .withTransformer(
            bert()
                .transformer()
                .withBlocks(
                    13,
                    List.of(
                        new BlockShape(3, 7),
                        new BlockShape(0, 20),
                        new BlockShape(1, 0),
                        new BlockShape(0, 0))));
  }

  /** One token type, positions from 2, no pooler; as long as the others. */
  public static EncoderConfig roberta() {
    return EncoderConfig.bert(VOCABULARY, 16, 2, 4, 24, MAX_LENGTH + 2)
        .withEmbeddings(1, 2)
        .withPooler(0);
  }

  /** The first BERT's activation. */
  public static EncoderConfig google() {
    return bert()
        .withTransformer(
            bert()
                .transformer()
                .withStyle(
                    NormPlacement.POST,
                    PositionEncoding.LEARNED,
                    Activation.GELU_TANH,
                    true,
                    false));
  }

  public static EncoderConfig distilbert() {
    return bert().withEmbeddings(0, 0).withPooler(0);
  }

  public static EncoderConfig config(String name) {
    return switch (name) {
      case "slim" -> slim();
      case "roberta" -> roberta();
      case "google" -> google();
      case "distilbert" -> distilbert();
      default -> bert();
    };
  }

  public static HeadConfig head(String name, EncoderConfig encoder) {
    return switch (name) {
      case "spans" -> HeadConfig.SPAN;
      case "regression" -> HeadConfig.classifier(encoder, 1);
      default -> HeadConfig.classifier(encoder, NUM_CLASSES);
    };
  }

  /** Normal values; gains around 1. */
  public static Weights randomWeights(EncoderConfig config, HeadConfig head, long seed) {
    Random random = new Random(seed);
    Weights weights = new Weights();
    try (Graph graph = new Graph()) {
      VariableCatalog catalog = new VariableCatalog(Ops.create(graph), seed);
      new EncoderModel(catalog, config, head);
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

  public static EncoderExportRequest request(
      EncoderConfig config, HeadConfig head, Path baseDirectory) {
    return EncoderExportRequest.of(
        config, head, randomWeights(config, head, 17), baseDirectory, 1, PADDING);
  }

  /** Rows of 1 to MAX_LENGTH ids, never the padding id; the last is as long as can be. */
  public static int[][] randomRows(Random random, int numRows) {
    List<int[]> rows = new ArrayList<>();
    for (int i = 0; i < numRows; i++) {
      int length = i == numRows - 1 ? MAX_LENGTH : 1 + random.nextInt(MAX_LENGTH);
      rows.add(
          random.ints(length, 0, VOCABULARY).map(id -> id == PADDING ? PADDING + 1 : id).toArray());
    }
    return rows.toArray(int[][]::new);
  }

  /** 0 up to a random place of each row, 1 from there on. */
  public static int[][] randomTypes(Random random, int[][] rows) {
    int[][] types = new int[rows.length][];
    for (int i = 0; i < rows.length; i++) {
      types[i] = new int[rows[i].length];
      for (int t = random.nextInt(rows[i].length + 1); t < rows[i].length; t++) {
        types[i][t] = 1;
      }
    }
    return types;
  }
}
