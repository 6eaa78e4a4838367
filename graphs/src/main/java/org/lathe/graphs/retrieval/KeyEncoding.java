package org.lathe.graphs.retrieval;

/** How an index stores a key of width D. */
public enum KeyEncoding {
  /** As it is: 4 D bytes. */
  FLOAT32,
  /** Half precision: 2 D bytes. */
  FLOAT16,
  /** One byte a dimension, k = centroid + offset + scale * code: D bytes. */
  INT8,
  /** One byte a sub-vector of k - centroid, naming one of its 256 codewords: M bytes. */
  PRODUCT;

  /** True where codes stand for the difference from the list's centroid. */
  public boolean isResidual() {
    return this == INT8 || this == PRODUCT;
  }

  /** Bytes of a key's code. */
  public int numBytes(int width, int numSubvectors) {
    return switch (this) {
      case FLOAT32 -> width * Float.BYTES;
      case FLOAT16 -> width * Short.BYTES;
      case INT8 -> width;
      case PRODUCT -> numSubvectors;
    };
  }
}
