package org.lathe.training.data;

import java.util.List;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.text.TokenizerKind;

/**
 * What a corpus is made of and how it is cut.
 *
 * @param sources text files, directories and archives, see {@link CorpusReader}; with validSources
 *     and testSources they are the train part
 * @param validSources the valid part where a corpus comes with its own parts; else empty
 * @param testSources the test part where a corpus comes with its own parts; else empty
 * @param format where documents begin, and whether words are split from punctuation
 * @param vocabularySize entries wanted of a WORD or BPE tokenizer; ignored for BYTE
 * @param validFraction share of the documents for validation, above 0; without parts of their own
 * @param testFraction share of the documents for testing, above 0; without parts of their own
 * @param maxTokens largest number of training tokens, by whole documents; 0 = all
 */
public record DataConfig(
    List<String> sources,
    List<String> validSources,
    List<String> testSources,
    CorpusFormat format,
    TokenizerKind tokenizer,
    int vocabularySize,
    double validFraction,
    double testFraction,
    long maxTokens) {
  private static final int NUM_BYTES = 256;
  private static final int MIN_WORDS = 3;

  public DataConfig {
    sources = List.copyOf(sources);
    validSources = List.copyOf(validSources);
    testSources = List.copyOf(testSources);
    check(!sources.isEmpty(), "data.sources is empty; name a text file, a directory or a jar.");
    check(
        validSources.isEmpty() == testSources.isEmpty(),
        "data.validSources and data.testSources belong together; name both, or neither to cut data.sources by fractions.");
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
        !validSources.isEmpty()
            || (validFraction > 0 && testFraction > 0 && validFraction + testFraction < 1),
        "data.validFraction (%s) and data.testFraction (%s) must be above 0 and below 1 together."
            .formatted(validFraction, testFraction));
    check(
        maxTokens >= 0,
        "data.maxTokens is %d; give a positive number, or 0 for all.".formatted(maxTokens));
  }

  /** A corpus in one piece, cut by fractions. */
  public static DataConfig cut(
      List<String> sources,
      TokenizerKind tokenizer,
      int vocabularySize,
      double validFraction,
      double testFraction,
      long maxTokens) {
    return new DataConfig(
        sources,
        List.of(),
        List.of(),
        CorpusFormat.PLAIN,
        tokenizer,
        vocabularySize,
        validFraction,
        testFraction,
        maxTokens);
  }

  /** The corpus comes with its own train, valid and test parts. */
  public boolean hasParts() {
    return !validSources.isEmpty();
  }

  private static void check(boolean condition, String message) {
    if (!condition) {
      throw new ConfigException(message);
    }
  }
}
