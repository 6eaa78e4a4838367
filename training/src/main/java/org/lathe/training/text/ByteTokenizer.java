package org.lathe.training.text;

import com.google.common.base.Preconditions;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;

/** One token per UTF-8 byte, 256 ids; pure Java and lossless for every well-formed text. */
public final class ByteTokenizer implements Tokenizer {
  private static final int NUM_BYTES = 256;

  @Override
  public int[] encode(String text) {
    byte[] bytes = Texts.wellFormed(text).getBytes(StandardCharsets.UTF_8);
    int[] tokens = new int[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      tokens[i] = bytes[i] & 0xFF;
    }
    return tokens;
  }

  @Override
  public String decode(int[] tokens) {
    byte[] bytes = new byte[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      Preconditions.checkElementIndex(tokens[i], NUM_BYTES, "token");
      bytes[i] = (byte) tokens[i];
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Exact: a token is a byte. */
  @Override
  public OptionalLong numBytes(int[] tokens) {
    return OptionalLong.of(tokens.length);
  }

  @Override
  public int vocabularySize() {
    return NUM_BYTES;
  }

  @Override
  public String kind() {
    return TokenizerKind.BYTE.word();
  }

  @Override
  public String fingerprint() {
    return Texts.fingerprint(kind(), "UTF-8");
  }

  @Override
  public void close() {}
}
