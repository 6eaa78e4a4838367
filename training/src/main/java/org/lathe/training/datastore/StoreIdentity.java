package org.lathe.training.datastore;

import com.google.common.base.Preconditions;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * What a store's keys are and how they were made. Keys mean something to the model that made them
 * only, so a store names it.
 *
 * @param width of the keys: the model's tapWidth
 * @param metric that fits how the model was trained
 * @param scoreScale factor on q . k that the model was trained with
 * @param vocabularySize values lie in [0, vocabularySize)
 * @param window positions that the model read at once
 * @param stride keys taken from each further window, see SlidingWindows
 * @param separateDocuments every document was read on its own; otherwise a key near the start of a
 *     document has also read the end of the one before, as in the paper
 * @param modelFingerprint SHA-256 of configuration and weights, see ModelFingerprint
 * @param tokenizerFingerprint SHA-256 of the tokenizer's definition
 */
public record StoreIdentity(
    int width,
    NeighborSearch.Metric metric,
    double scoreScale,
    int vocabularySize,
    int window,
    int stride,
    boolean separateDocuments,
    String modelFingerprint,
    String tokenizerFingerprint) {
  /** Wider keys are refused: a row must fit a block of a file many times. */
  public static final int MAX_WIDTH = 1 << 16;

  static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

  public StoreIdentity {
    Preconditions.checkArgument(
        width > 0 && width <= MAX_WIDTH, "width (%s) must be in 1..%s", width, MAX_WIDTH);
    Objects.requireNonNull(metric, "metric");
    Preconditions.checkArgument(
        scoreScale > 0 && Double.isFinite(scoreScale),
        "scoreScale (%s) must be positive",
        scoreScale);
    Preconditions.checkArgument(
        vocabularySize > 0, "vocabularySize (%s) must be positive", vocabularySize);
    Preconditions.checkArgument(window > 0, "window (%s) must be positive", window);
    Preconditions.checkArgument(
        stride > 0 && stride <= window, "stride (%s) must be in 1..window (%s)", stride, window);
    requireSha256("modelFingerprint", modelFingerprint);
    requireSha256("tokenizerFingerprint", tokenizerFingerprint);
  }

  static void requireSha256(String name, String value) {
    Preconditions.checkArgument(
        SHA256.matcher(value).matches(), "%s (%s) is no SHA-256", name, value);
  }
}
