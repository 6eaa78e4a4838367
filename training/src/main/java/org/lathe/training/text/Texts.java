package org.lathe.training.text;

import com.google.common.hash.Hashing;
import java.nio.charset.StandardCharsets;

/** Small functions on strings that the tokenizers share. */
final class Texts {
  private static final char REPLACEMENT = '\uFFFD';

  private Texts() {}

  /** The text with every lone surrogate, which UTF-8 cannot express, replaced by U+FFFD. */
  static String wellFormed(String text) {
    int length = text.length();
    for (int i = 0; i < length; i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        return replaceLoneSurrogates(text, i);
      }
    }
    return text;
  }

  /** SHA-256 over a tokenizer's kind and definition, in hexadecimal digits. */
  static String fingerprint(String kind, String definition) {
    return Hashing.sha256().hashString(kind + '\n' + definition, StandardCharsets.UTF_8).toString();
  }

  private static String replaceLoneSurrogates(String text, int first) {
    StringBuilder out = new StringBuilder(text.length()).append(text, 0, first);
    for (int i = first; i < text.length(); ) {
      int codePoint = text.codePointAt(i);
      boolean lone = codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
      out.appendCodePoint(lone ? REPLACEMENT : codePoint);
      i += Character.charCount(codePoint);
    }
    return out.toString();
  }
}
