package org.lathe.cli.config;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * The text, and the token files made of it.
 *
 * @param sources files, directories or jars with UTF-8 text; one file is one document
 * @param validSources the validation part of a corpus that comes in parts, else empty
 * @param testSources the test part of a corpus that comes in parts, else empty
 * @param format plain, wikitext (a line " = Title = " starts a document), or split-words (plain
 *     text whose words are split from punctuation in WikiText's way)
 * @param tokenizerFrom prepared data whose tokenizer is used; empty = train one
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
    List<String> validSources,
    List<String> testSources,
    Format format,
    String tokenizerFrom,
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

  /** Layouts of text. */
  public enum Format {
    PLAIN,
    WIKITEXT,
    @JsonProperty("split-words")
    SPLIT_WORDS
  }

  public DataSection {
    sources = List.copyOf(sources);
    validSources = List.copyOf(validSources);
    testSources = List.copyOf(testSources);
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
