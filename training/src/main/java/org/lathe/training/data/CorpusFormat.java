package org.lathe.training.data;

/** How the text of a source is laid out. */
public enum CorpusFormat {
  /** Documents are separated by lines {@code <|endoftext|>}. */
  PLAIN,
  /** WikiText: a line {@code = Title = } starts a document; words are split already. */
  WIKITEXT,
  /**
   * As PLAIN, and words are split from punctuation in WikiText's way, so that a WikiText vocabulary
   * fits ({@link org.lathe.training.text.WordSplitter}).
   */
  SPLIT_WORDS
}
