package org.lathe.training.text;

/** The tokenizers that Lathe makes itself. */
public enum TokenizerKind {
  /** One token per UTF-8 byte. */
  BYTE("byte"),
  /** One token per white-space separated word of a closed vocabulary. */
  WORD("word"),
  /** Byte-pair encoding over bytes. */
  BPE("bpe");

  private final String word;

  TokenizerKind(String word) {
    this.word = word;
  }

  /** The kind as {@link Tokenizer#kind()} and files spell it. */
  public String word() {
    return word;
  }
}
