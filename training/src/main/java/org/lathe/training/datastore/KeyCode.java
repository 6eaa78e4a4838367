package org.lathe.training.datastore;

import com.google.common.base.Preconditions;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.lathe.graphs.retrieval.KeyDecoder;
import org.lathe.graphs.retrieval.KeyEncoding;

/**
 * How keys become bytes and what is needed to read them. Numbers are little-endian, as TensorFlow
 * keeps them on the machines that Lathe runs on.
 *
 * @param width D
 * @param scales D for INT8, otherwise empty
 * @param offsets D for INT8, otherwise empty
 * @param codewords (M, 256, D / M) for PRODUCT, otherwise empty
 * @param numSubvectors M for PRODUCT, otherwise 0
 */
public record KeyCode(
    KeyEncoding encoding,
    int width,
    float[] scales,
    float[] offsets,
    float[] codewords,
    int numSubvectors) {
  private static final float[] NONE = {};
  private static final int MAX_CODE = 255;
  private static final int ITERATIONS = 8;

  /** Bytes of one key. */
  int numBytes() {
    return encoding.numBytes(width, numSubvectors);
  }

  int subWidth() {
    return width / numSubvectors;
  }

  /**
   * Fits scales and offsets, or codewords.
   *
   * @param points what will be encoded, row-major (N, D): all of it for INT8, whose error is then
   *     at most half a scale in every dimension; a sample for PRODUCT
   * @param seed of the codewords' k-means
   */
  static KeyCode fit(IvfSettings settings, int width, float[] points, long seed, int threads) {
    return switch (settings.encoding()) {
      case FLOAT32, FLOAT16 -> new KeyCode(settings.encoding(), width, NONE, NONE, NONE, 0);
      case INT8 -> fitRange(width, points);
      case PRODUCT -> fitCodewords(width, points, settings.numSubvectors(), seed, threads);
    };
  }

  private static KeyCode fitRange(int width, float[] points) {
    float[] scales = new float[width];
    float[] offsets = new float[width];
    for (int d = 0; d < width; d++) {
      float low = Float.POSITIVE_INFINITY;
      float high = Float.NEGATIVE_INFINITY;
      for (int at = d; at < points.length; at += width) {
        low = Math.min(low, points[at]);
        high = Math.max(high, points[at]);
      }
      offsets[d] = low;
      // any scale will do where all are equal
      scales[d] = high > low ? (high - low) / MAX_CODE : 1;
    }
    return new KeyCode(KeyEncoding.INT8, width, scales, offsets, NONE, 0);
  }

  private static KeyCode fitCodewords(
      int width, float[] points, int numSubvectors, long seed, int threads) {
    Preconditions.checkArgument(
        numSubvectors >= 1 && width % numSubvectors == 0,
        "%s sub-vectors do not divide a width of %s",
        numSubvectors,
        width);
    int subWidth = width / numSubvectors;
    float[] codewords = new float[KeyDecoder.CODEWORDS * width];
    int numPoints = points.length / width;
    int numCodewords = Math.min(KeyDecoder.CODEWORDS, numPoints);
    for (int m = 0; m < numSubvectors; m++) {
      float[] part = column(points, width, m * subWidth, subWidth);
      float[] found = KMeans.train(part, subWidth, numCodewords, ITERATIONS, seed + m, threads);
      System.arraycopy(
          found, 0, codewords, m * KeyDecoder.CODEWORDS * subWidth, numCodewords * subWidth);
    }
    return new KeyCode(KeyEncoding.PRODUCT, width, NONE, NONE, codewords, numSubvectors);
  }

  private static float[] column(float[] points, int width, int from, int columnWidth) {
    int numPoints = points.length / width;
    float[] column = new float[numPoints * columnWidth];
    for (int i = 0; i < numPoints; i++) {
      System.arraycopy(points, i * width + from, column, i * columnWidth, columnWidth);
    }
    return column;
  }

  /**
   * Bytes of keys (N, D), or of their residuals.
   *
   * @param assigner of width D / M for PRODUCT; not used otherwise
   */
  byte[] encode(float[] points, CentroidAssigner assigner) {
    int numPoints = points.length / width;
    byte[] codes = new byte[numPoints * numBytes()];
    ByteBuffer buffer = ByteBuffer.wrap(codes).order(ByteOrder.LITTLE_ENDIAN);
    switch (encoding) {
      case FLOAT32 -> buffer.asFloatBuffer().put(points);
      case FLOAT16 -> {
        for (float value : points) {
          buffer.putShort(Float16.of(value));
        }
      }
      case INT8 -> {
        for (int i = 0; i < points.length; i++) {
          int d = i % width;
          int code = Math.round((points[i] - offsets[d]) / scales[d]);
          codes[i] = (byte) Math.max(0, Math.min(MAX_CODE, code));
        }
      }
      case PRODUCT -> {
        int perPart = KeyDecoder.CODEWORDS * subWidth();
        for (int m = 0; m < numSubvectors; m++) {
          float[] words = new float[perPart];
          System.arraycopy(codewords, m * perPart, words, 0, perPart);
          int[] nearest = assigner.assign(column(points, width, m * subWidth(), subWidth()), words);
          for (int i = 0; i < numPoints; i++) {
            codes[i * numSubvectors + m] = (byte) nearest[i];
          }
        }
      }
    }
    return codes;
  }

  /** Key number index of these codes, or its residual, in plain arithmetic. */
  void decode(byte[] codes, int index, float[] target) {
    ByteBuffer buffer = ByteBuffer.wrap(codes).order(ByteOrder.LITTLE_ENDIAN);
    int at = index * numBytes();
    for (int d = 0; d < width; d++) {
      target[d] =
          switch (encoding) {
            case FLOAT32 -> buffer.getFloat(at + d * Float.BYTES);
            case FLOAT16 -> Float16.toFloat(buffer.getShort(at + d * Short.BYTES));
            case INT8 -> offsets[d] + scales[d] * (codes[at + d] & MAX_CODE);
            case PRODUCT -> {
              int m = d / subWidth();
              int word = codes[at + m] & MAX_CODE;
              yield codewords[(m * KeyDecoder.CODEWORDS + word) * subWidth() + d % subWidth()];
            }
          };
    }
  }
}
