package org.lathe.training.weights;

import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import java.nio.charset.StandardCharsets;
import java.util.TreeSet;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;

/** Tells whether two models are the same, bit for bit. */
public final class ModelFingerprint {
  private ModelFingerprint() {}

  /**
   * SHA-256 of a model's configuration and weights, in whatever order they come.
   *
   * @return 64 hexadecimal digits
   */
  public static String of(TransformerConfig config, Weights weights) {
    Hasher hasher = Hashing.sha256().newHasher();
    hasher.putString(text(config), StandardCharsets.UTF_8);
    for (String name : new TreeSet<>(weights.names())) {
      Weights.Array array = weights.get(name);
      hasher.putInt(name.length()).putUnencodedChars(name);
      for (long size : array.shape().asArray()) {
        hasher.putLong(size);
      }
      for (float value : array.values()) {
        hasher.putInt(Float.floatToRawIntBits(value));
      }
    }
    return hasher.hash().toString();
  }

  /** Without learned keys as before there were any, so that stores made then still fit. */
  private static String text(TransformerConfig config) {
    String text = config.toString();
    return config.keySize() == null ? text.replace(", keySize=null", "") : text;
  }
}
