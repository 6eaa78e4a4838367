package org.lathe.training.datastore;

import com.google.common.base.Preconditions;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import org.lathe.training.evaluation.ScoredText;

/**
 * Keys and values of a text's positions, in the heap: g_j and the token y_j that followed. Item j
 * is position j of the text.
 *
 * @param keys row-major (n, width)
 * @param values n tokens
 * @param width D
 * @param documents n numbers of documents
 */
public record KeyStore(float[] keys, int[] values, int width, int[] documents)
    implements MemoryItems {

  public KeyStore {
    Preconditions.checkArgument(
        keys.length == (long) values.length * width && documents.length == values.length,
        "%s keys of width %s, %s values and %s documents do not belong together",
        keys.length,
        width,
        values.length,
        documents.length);
  }

  /** Every position of a scored text once, as it was encoded when it was scored; one document. */
  public static KeyStore of(ScoredText text) {
    return of(text, position -> 0);
  }

  /**
   * The same for a text of several documents.
   *
   * @param documentAt position to number of its document
   */
  public static KeyStore of(ScoredText text, IntUnaryOperator documentAt) {
    int[] documents = new int[text.numPositions()];
    Arrays.setAll(documents, documentAt);
    return new KeyStore(text.scoredKeys(), text.targets(), text.width(), documents);
  }

  /** The first items only. */
  public KeyStore first(int numItems) {
    return new KeyStore(
        Arrays.copyOf(keys, numItems * width),
        Arrays.copyOf(values, numItems),
        width,
        Arrays.copyOf(documents, numItems));
  }

  @Override
  public int numItems() {
    return values.length;
  }

  @Override
  public int value(int item) {
    return values[item];
  }

  @Override
  public long position(int item) {
    return item;
  }

  @Override
  public int document(int item) {
    return documents[item];
  }

  @Override
  public void readKeys(int from, int count, float[] target, int at) {
    System.arraycopy(keys, from * width, target, at, count * width);
  }
}
