package org.lathe.training.data;

import java.util.List;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.text.TokenizerKind;

/**
 * What a corpus is made of and how it is cut.
 *
 * @param sources text files, directories and archives, see {@link CorpusReader}
 * @param vocabularySize entries wanted of a WORD or BPE tokenizer; ignored for BYTE
 * @param validFraction share of the documents for validation, above 0
 * @param testFraction share of the documents for testing, above 0
 * @param maxTokens largest number of training tokens, by whole documents; 0 = all
 */
public record DataConfig(
    List<String> sources,
    TokenizerKind tokenizer,
    int vocabularySize,
    double validFraction,
    double testFraction,
    long maxTokens) {
  private static final int NUM_BYTES = 256;
  private static final int MIN_WORDS = 3;

  public DataConfig {
    sources = List.copyOf(sources);
    check(!sources.isEmpty(), "data.sources is empty; name a text file, a directory or a jar.");
    int smallest =
        switch (tokenizer) {
          case BYTE -> Integer.MIN_VALUE;
          case WORD -> MIN_WORDS;
          case BPE -> NUM_BYTES;
        };
    check(
        vocabularySize >= smallest,
        "data.vocabularySize is %d, but a %s tokenizer needs at least %d."
            .formatted(vocabularySize, tokenizer.word(), smallest));
    check(
        validFraction > 0 && testFraction > 0 && validFraction + testFraction < 1,
        "data.validFraction (%s) and data.testFraction (%s) must be above 0 and below 1 together."
            .formatted(validFraction, testFraction));
    check(
        maxTokens >= 0,
        "data.maxTokens is %d; give a positive number, or 0 for all.".formatted(maxTokens));
  }

  private static void check(boolean condition, String message) {
    if (!condition) {
      throw new ConfigException(message);
    }
  }
}
