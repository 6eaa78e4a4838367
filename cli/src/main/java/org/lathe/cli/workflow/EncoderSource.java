package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.PruningSection;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.Storage;
import org.lathe.training.pretrained.PretrainedEncoder;
import org.lathe.training.pretrained.PretrainedReader;
import org.lathe.training.text.TokenizerDefinition;

/** A pretrained encoder that a key of the configuration names. */
final class EncoderSource {
  static final String STUDENT_KEY = "pruning.studentFrom";

  private EncoderSource() {}

  /**
   * A checkpoint that somebody else made, or the best model of a run of ours.
   *
   * @param key that names it
   * @throws ConfigException when it is the run of a language model
   */
  static PretrainedEncoder read(String key, Path path, Storage storage) {
    if (!RunDirectory.exists(storage, path)) {
      return PretrainedReader.read(storage, path, OptionalInt.empty());
    }
    RunDirectory run = RunDirectory.open(storage, path);
    EncoderRecord encoder = run.record().encoder();
    if (encoder == null) {
      throw new ConfigException(
          key
              + " is "
              + path
              + ", the run of a language model; expected a pretrained encoder or the run of one");
    }
    Weights all = run.encoderWeights(encoder.head());
    boolean guesses = encoder.head().kind() == HeadConfig.Kind.MASKED_LM;
    return new PretrainedEncoder(
        encoder.config(),
        all.startingWith(Encoder.PREFIX + "/"),
        guesses ? all.startingWith(encoder.head().kind().prefix() + "/") : null,
        run.tokenizerJson(),
        List.of());
  }

  /** Refuses a {@code pruning.studentFrom} that {@link #ofStudent} cannot read. */
  static void requireStudent(PruningSection settings, RunDirectory teacher, Storage storage) {
    if (!settings.studentFrom().isBlank()) {
      ofStudent(settings, teacher, storage);
    }
  }

  /**
   * The encoder that a student of the teacher's shape starts from, in {@code pruning.studentFrom}.
   *
   * @param teacher run of an encoder
   * @throws ConfigException when its sizes or its tokens are not the teacher's
   */
  static PretrainedEncoder ofStudent(
      PruningSection settings, RunDirectory teacher, Storage storage) {
    Path path = Path.of(settings.studentFrom());
    PretrainedEncoder found = read(STUDENT_KEY, path, storage);
    EncoderConfig expected = Objects.requireNonNull(teacher.record().encoder()).config();
    TransformerConfig rates = expected.transformer();
    TransformerConfig shape = found.config().transformer();
    EncoderConfig sameRates =
        found
            .config()
            .withTransformer(
                shape.withDropout(rates.dropout()).withInnerDropout(rates.innerDropout()));
    if (!sameRates.equals(expected)) {
      throw new ConfigException(
          STUDENT_KEY
              + " is "
              + path
              + ", an encoder of other sizes than the teacher "
              + teacher.path()
              + "; expected the one that the teacher was fine-tuned from (its task.pretrained), with"
              + " as many tokens (task.minTokenCount=0)");
    }
    requireSameTokens(path, found.tokenizerJson(), teacher);
    return found;
  }

  /**
   * @param path of {@code pruning.studentFrom}
   * @param tokens definition of its tokenizer, null where none lies beside it
   * @throws ConfigException when its tokens are not the teacher's
   */
  static void requireSameTokens(Path path, @Nullable String tokens, RunDirectory teacher) {
    if (tokens != null
        && !TokenizerDefinition.fromJson(tokens)
            .json()
            .equals(TokenizerDefinition.fromJson(teacher.tokenizerJson()).json())) {
      throw new ConfigException(
          STUDENT_KEY
              + " is "
              + path
              + ", whose tokenizer is not that of the teacher "
              + teacher.path()
              + "; expected an encoder of the same words, such as the one that the teacher was"
              + " fine-tuned from (its task.pretrained)");
    }
  }

  /**
   * A new model's weights with those of a pretrained encoder, and of its masked-LM head where both
   * have one.
   *
   * @param own of the new model, by their initializers; changed
   */
  static Weights into(Weights own, PretrainedEncoder pretrained, HeadConfig head) {
    own.putAll(pretrained.weights());
    Weights maskedLm = pretrained.maskedLm();
    return maskedLm != null && head.kind() == HeadConfig.Kind.MASKED_LM
        ? own.putAll(maskedLm)
        : own;
  }
}
