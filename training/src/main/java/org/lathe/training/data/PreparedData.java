package org.lathe.training.data;

import java.nio.file.Path;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.Storage;
import org.lathe.training.text.Tokenizer;
import org.lathe.training.text.TokenizerStore;

/** A prepared corpus, opened: its tokenizer and the tokens of its three parts. */
public record PreparedData(Tokenizer tokenizer, TokenFile train, TokenFile valid, TokenFile test)
    implements AutoCloseable {
  public static final String TRAIN_FILE = "train.tokens";
  public static final String VALID_FILE = "valid.tokens";
  public static final String TEST_FILE = "test.tokens";
  public static final String SUMMARY_FILE = "data.json";

  /**
   * Opens what {@link DataPreparer} wrote.
   *
   * @throws CorruptFileException when a file is missing or damaged, or tokens and tokenizer do not
   *     belong together
   */
  public static PreparedData open(Storage storage, Path directory) {
    Tokenizer tokenizer = TokenizerStore.read(storage, directory);
    try {
      return new PreparedData(
          tokenizer,
          tokens(storage, directory.resolve(TRAIN_FILE), tokenizer),
          tokens(storage, directory.resolve(VALID_FILE), tokenizer),
          tokens(storage, directory.resolve(TEST_FILE), tokenizer));
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  @Override
  public void close() {
    tokenizer.close();
    train.close();
    valid.close();
    test.close();
  }

  private static TokenFile tokens(Storage storage, Path file, Tokenizer tokenizer) {
    TokenFile tokens = TokenFile.open(storage, file);
    if (!tokens.tokenizerFingerprint().equals(tokenizer.fingerprint())
        || tokens.vocabularySize() != tokenizer.vocabularySize()) {
      tokens.close();
      throw new CorruptFileException(
          "%s was made by the tokenizer %s, but beside it lies %s; prepare the data again."
              .formatted(file, tokens.tokenizerFingerprint(), tokenizer.fingerprint()));
    }
    return tokens;
  }
}
