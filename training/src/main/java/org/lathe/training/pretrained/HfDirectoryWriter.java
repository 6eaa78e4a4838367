package org.lathe.training.pretrained;

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.errors.FailedException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.StagedDirectory;
import org.lathe.training.files.Storage;

/**
 * Writes an encoder, with or without a head, as a Hugging Face directory: config.json,
 * model.safetensors, tokenizer.json and, for WordPiece, vocab.txt. Equal content gives equal bytes.
 */
public final class HfDirectoryWriter {
  /** Kind in the manifest. */
  public static final String KIND = "hugging-face-encoder";

  private static final long OTHER_BYTES = 8L << 20;

  private HfDirectoryWriter() {}

  /**
   * Writes an encoder, with its masked-LM head where it has one.
   *
   * @throws FailedException as the other method does
   */
  public static void write(Storage storage, Path directory, PretrainedEncoder encoder) {
    Weights maskedLm = encoder.maskedLm();
    write(
        storage,
        directory,
        encoder,
        maskedLm == null ? null : new EncoderHead(HeadConfig.MASKED_LM, maskedLm, List.of()),
        path -> {});
  }

  /**
   * Writes a new directory; it appears as a whole. Layers of different shapes are filled with
   * zeros, which changes no answer.
   *
   * @param head of a task, or null; a masked-LM head is written from here too
   * @param check looks at what was written before it appears, and throws to withhold it
   * @throws FailedException when no such configuration describes the encoder (a layer without
   *     attention or without feed-forward, heads that cannot fill the hidden size, a pooler of
   *     another width that the head reads, a head of another family), the directory exists, or the
   *     disk fails
   */
  public static void write(
      Storage storage,
      Path directory,
      PretrainedEncoder encoder,
      @Nullable EncoderHead head,
      Consumer<Path> check) {
    PretrainedEncoder uniform = UniformLayers.of(withoutIdlePooler(encoder, head));
    EncoderConfig config = uniform.config();
    NamingStyle style = style(config);
    requirePooler(config, style);
    NameMap map = new NameMap(style, head == null ? "" : prefix(style));
    Weights foreign = EncoderWeights.write(uniform.weights(), map.encoder(config));
    if (head != null) {
      Weights all = new Weights().putAll(uniform.weights()).putAll(head.weights());
      foreign.putAll(EncoderWeights.write(all, map.head(config, head.config())));
    }
    try (StagedDirectory staged =
        StagedDirectory.begin(
            storage, directory, foreign.numValues() * Float.BYTES + OTHER_BYTES)) {
      Path path = staged.path();
      JsonFile.write(storage, path.resolve("config.json"), HfConfig.fields(config, style, head));
      SafetensorsWriter.write(storage, path.resolve("model.safetensors"), foreign);
      writeTokenizer(storage, path, encoder.tokenizerJson());
      check.accept(path);
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

  /** Whether a pooler is left out: it has no place there, and the head does not read it. */
  public static boolean leavesPoolerOut(EncoderConfig encoder, HeadConfig head) {
    return !head.kind().classifies() && isMisfit(encoder, style(encoder));
  }

  private static PretrainedEncoder withoutIdlePooler(
      PretrainedEncoder encoder, @Nullable EncoderHead head) {
    if (head == null || !leavesPoolerOut(encoder.config(), head.config())) {
      return encoder;
    }
    // what the configuration has no place for is not written
    return new PretrainedEncoder(
        encoder.config().withPooler(0),
        encoder.weights(),
        encoder.maskedLm(),
        encoder.tokenizerJson(),
        encoder.notes());
  }

  private static void requirePooler(EncoderConfig config, NamingStyle style) {
    if (isMisfit(config, style)) {
      throw HfConfig.refused(
          "it has a pooler of "
              + config.poolerSize()
              + " on a hidden size of "
              + config.transformer().hiddenSize());
    }
  }

  /** The classes know poolers of the hidden size, and DistilBERT's none. */
  private static boolean isMisfit(EncoderConfig config, NamingStyle style) {
    return config.hasPooler()
        && (config.poolerSize() != config.transformer().hiddenSize()
            || style == NamingStyle.DISTILBERT);
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
          storage, directory.resolve("tokenizer_config.json"), WordPieceDefinition.settings(json));
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
