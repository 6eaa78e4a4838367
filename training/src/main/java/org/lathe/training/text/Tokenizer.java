package org.lathe.training.text;

import java.util.OptionalLong;

/** Text to token ids and back. Implementations are safe for several threads. */
public interface Tokenizer extends AutoCloseable {
  /** Token ids of a text, each in [0, vocabularySize). Lone surrogates count as U+FFFD. */
  int[] encode(String text);

  /** Text of token ids; byte sequences that are not UTF-8 become U+FFFD. */
  String decode(int[] tokens);

  /**
   * UTF-8 bytes of the text that these tokens stand for; empty where tokens do not tell it. Where
   * the first or the last token cuts a character, up to 3 bytes at that end may be miscounted.
   */
  OptionalLong numBytes(int[] tokens);

  /** One more than the largest token id. */
  int vocabularySize();

  /** "byte", "word" or "bpe". */
  String kind();

  /** SHA-256 of the definition, 64 hexadecimal digits: equal means that ids mean the same. */
  String fingerprint();

  @Override
  void close();
}
