package org.lathe.training.text;

import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * The first two steps of our byte-pair encodings: cutting text into pre-tokens, inside which merges
 * happen, and writing bytes as printable characters (the alphabet of GPT-2).
 */
final class ByteLevel {
  static final int NUM_BYTES = 256;

  /*
   * Words are ASCII letters, the underscore and every character beyond ASCII but for the blocks of
   * Latin-1, general and CJK punctuation. Fixed code point ranges instead of \p{L}, since the Unicode
   * tables of Java and of the native tokenizer differ by years.
   */
  private static final String WORD =
      "A-Za-z_\\x{AA}\\x{B5}\\x{BA}\\x{C0}-\\x{1FFF}\\x{2070}-\\x{2FFF}\\x{3004}-\\x{10FFFF}";
  private static final String WHITE = "\\x{9}-\\x{D}\\x{20}";

  /**
   * A word, a number or a run of punctuation, each with one space before it, else a run of white
   * space: a line break with the indentation after it is one pre-token. Covers every text without
   * gaps, and means the same to Java and to the native tokenizer.
   */
  static final String REGEX =
      " ?[" + WORD + "]+| ?[0-9]+| ?[^" + WORD + "0-9" + WHITE + "]+|[" + WHITE + "]+";

  static final Pattern PATTERN = Pattern.compile(REGEX);

  private static final char[] ALPHABET = alphabet();

  private ByteLevel() {}

  /** The printable character that stands for a byte. */
  static char character(int unsignedByte) {
    return ALPHABET[unsignedByte];
  }

  /** Every UTF-8 byte of a text as its printable character. */
  static String encode(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    StringBuilder out = new StringBuilder(bytes.length);
    for (byte b : bytes) {
      out.append(ALPHABET[b & 0xFF]);
    }
    return out.toString();
  }

  private static char[] alphabet() {
    char[] alphabet = new char[NUM_BYTES];
    int numHidden = 0;
    for (int b = 0; b < NUM_BYTES; b++) {
      boolean printable = (b > ' ' && b < 0x7F) || (b > 0xA0 && b != 0xAD);
      alphabet[b] = (char) (printable ? b : NUM_BYTES + numHidden++);
    }
    return alphabet;
  }
}
