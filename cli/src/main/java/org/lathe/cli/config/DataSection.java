package org.lathe.cli.config;

import java.util.List;

/**
 * The text, and the token files made of it.
 *
 * @param sources files, directories or jars with UTF-8 text; one file is one document
 * @param tokenizer how text becomes token ids
 * @param vocabularySize token ids of a trained vocabulary; the byte tokenizer has 256 and its
 *     special ones whatever stands here
 * @param validFraction share of the documents for validation
 * @param testFraction share of the documents for the test
 * @param maxTokens stop reading after so many training tokens; 0 = all
 * @param directory where prepared token files lie; {@code prepare --out} writes them there
 */
public record DataSection(
    List<String> sources,
    TokenizerKind tokenizer,
    int vocabularySize,
    double validFraction,
    double testFraction,
    long maxTokens,
    String directory) {
  /** Kinds of tokenizers that can be trained or need no training. */
  public enum TokenizerKind {
    BYTE,
    WORD,
    BPE
  }

  public DataSection {
    sources = List.copyOf(sources);
    Check.between("data.vocabularySize", vocabularySize, 2, 1_000_000);
    Check.below("data.validFraction", validFraction, 0, 1);
    Check.below("data.testFraction", testFraction, 0, 1);
    Check.require(
        validFraction + testFraction < 1,
        "data.testFraction",
        testFraction,
        "less than 1 together with data.validFraction (" + validFraction + ")");
    Check.atLeast("data.maxTokens", maxTokens, 0);
    Check.require(!directory.isBlank(), "data.directory", "blank", "a path");
  }
}
