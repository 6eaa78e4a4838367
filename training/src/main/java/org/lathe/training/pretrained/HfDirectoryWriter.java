package org.lathe.training.pretrained;

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.FailedException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.StagedDirectory;
import org.lathe.training.files.Storage;

/**
 * Writes an encoder as a Hugging Face directory: config.json, model.safetensors, tokenizer.json
 * and, for WordPiece, vocab.txt. Equal content gives equal bytes.
 */
public final class HfDirectoryWriter {
  /** Kind in the manifest. */
  public static final String KIND = "hugging-face-encoder";

  private static final long OTHER_BYTES = 8L << 20;

  private HfDirectoryWriter() {}

  /**
   * Writes a new directory; it appears as a whole.
   *
   * @throws FailedException when no such configuration describes the encoder (layers of different
   *     shapes, a pooler of another width), the directory exists, or the disk fails
   */
  public static void write(Storage storage, Path directory, PretrainedEncoder encoder) {
    EncoderConfig config = encoder.config();
    NamingStyle style = style(config);
    requireUniform(config, style);
    boolean maskedLm = encoder.maskedLm() != null;
    NameMap map = new NameMap(style, maskedLm ? prefix(style) : "");
    Weights foreign = EncoderWeights.write(encoder.weights(), map.encoder(config));
    if (encoder.maskedLm() != null) {
      Weights head = EncoderWeights.write(encoder.maskedLm(), map.maskedLm(config));
      for (String name : head.names()) {
        foreign.put(name, head.get(name).shape(), head.get(name).values());
      }
    }
    try (StagedDirectory staged =
        StagedDirectory.begin(
            storage, directory, foreign.numValues() * Float.BYTES + OTHER_BYTES)) {
      Path path = staged.path();
      JsonFile.write(
          storage, path.resolve("config.json"), HfConfig.fields(config, style, maskedLm));
      SafetensorsWriter.write(storage, path.resolve("model.safetensors"), foreign);
      writeTokenizer(storage, path, encoder.tokenizerJson());
      staged.commit(KIND, Map.of("modelType", style.name()));
    }
  }

  private static NamingStyle style(EncoderConfig config) {
    if (config.positionOffset() > 0) {
      return NamingStyle.ROBERTA;
    }
    return config.numTokenTypes() == 0 ? NamingStyle.DISTILBERT : NamingStyle.BERT;
  }

  private static String prefix(NamingStyle style) {
    return switch (style) {
      case DISTILBERT -> "distilbert.";
      case ROBERTA -> "roberta.";
      default -> "bert.";
    };
  }

  private static void requireUniform(EncoderConfig config, NamingStyle style) {
    TransformerConfig transformer = config.transformer();
    boolean alike =
        transformer
            .blocks()
            .equals(Collections.nCopies(transformer.numLayers(), transformer.blocks().get(0)));
    boolean poolerFits =
        !config.hasPooler()
            || (config.poolerSize() == transformer.hiddenSize() && style != NamingStyle.DISTILBERT);
    if (!alike
        || !poolerFits
        || !transformer.blocks().get(0).feedForwardPresent()
        || transformer.blocks().get(0).numHeads() * transformer.headSize()
            != transformer.hiddenSize()) {
      throw new FailedException(
          "a Hugging Face configuration has one shape for all layers, heads that fill the hidden"
              + " size and a pooler as wide; this encoder has layers "
              + transformer.blocks()
              + " of head size "
              + transformer.headSize()
              + ", hidden size "
              + transformer.hiddenSize()
              + " and pooler "
              + config.poolerSize()
              + ": export it as a SavedModel instead");
    }
  }

  private static void writeTokenizer(Storage storage, Path directory, @Nullable String json) {
    if (json == null) {
      return;
    }
    text(storage, directory.resolve("tokenizer.json"), json);
    String vocabulary = WordPieceDefinition.vocabulary(json);
    if (!vocabulary.isEmpty()) {
      text(storage, directory.resolve("vocab.txt"), vocabulary);
      JsonFile.write(
          storage,
          directory.resolve("tokenizer_config.json"),
          Map.of(
              "tokenizer_class",
              "BertTokenizer",
              "do_lower_case",
              WordPieceDefinition.lowerCases(json)));
    }
  }

  private static void text(Storage storage, Path file, String text) {
    IoGuard.run(
        storage,
        "write",
        file,
        () -> {
          try (OutputStream out = storage.create(file)) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
          }
        });
  }
}
