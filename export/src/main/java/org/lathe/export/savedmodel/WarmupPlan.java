package org.lathe.export.savedmodel;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.lathe.export.format.SignatureNames;
import org.lathe.export.format.WarmupRequest;
import org.lathe.graphs.config.TransformerConfig;

/** Which requests a server replays before it announces a model, and which prompts are recorded. */
final class WarmupPlan {
  private static final int[] BATCH_SIZES = {1, 8};
  private static final int SHORT_LENGTH = 16;

  /** Ids of one request at most: warming up should not need more memory than serving. */
  static final int MAX_IDS = 8_192;

  /** Ids of the longest recorded prompt. */
  private static final int REFERENCE_LENGTH = 48;

  private static final int MORE_PROMPTS = 13;

  private WarmupPlan() {}

  /** Batches of 1 and 8 at lengths 1, 16 and the longest; one request each for the others. */
  static List<WarmupRequest> requests(TransformerConfig config) {
    TreeSet<Integer> lengths = new TreeSet<>(List.of(1, config.maxPositions()));
    lengths.add(Math.min(SHORT_LENGTH, config.maxPositions()));
    List<WarmupRequest> requests = new ArrayList<>();
    for (int batchSize : BATCH_SIZES) {
      for (int length : lengths) {
        if (batchSize == 1 || (long) batchSize * length <= MAX_IDS) {
          requests.add(request(SignatureNames.NEXT_TOKEN, false, batchSize, length, config));
        }
      }
    }
    int shortLength = Math.min(SHORT_LENGTH, config.maxPositions());
    requests.add(request(SignatureNames.NEXT_TOKEN_INT64, true, 1, shortLength, config));
    requests.add(request(SignatureNames.SCORE, false, 1, shortLength, config));
    return requests;
  }

  /** A prompt of one id, a short one, and one in which words repeat, so that memory matters. */
  static int[][] referencePrompts(TransformerConfig config) {
    int longest = Math.min(REFERENCE_LENGTH, config.maxPositions());
    int[] repeating = ids(longest, 1, config.vocabularySize());
    for (int t = 0; t < longest; t++) {
      repeating[t] = repeating[t % Math.min(5, longest)];
    }
    return new int[][] {
      ids(1, 2, config.vocabularySize()),
      ids(Math.min(7, config.maxPositions()), 3, config.vocabularySize()),
      repeating
    };
  }

  /** The same and more of many lengths, to choose from. */
  static int[][] manyReferencePrompts(TransformerConfig config) {
    List<int[]> prompts = new ArrayList<>(List.of(referencePrompts(config)));
    int longest = Math.min(REFERENCE_LENGTH, config.maxPositions());
    for (int i = 0; i < MORE_PROMPTS; i++) {
      prompts.add(ids(1 + (longest - 1) * i / MORE_PROMPTS, 4 + i, config.vocabularySize()));
    }
    return prompts.toArray(int[][]::new);
  }

  private static WarmupRequest request(
      String signature, boolean wide, int batchSize, int length, TransformerConfig config) {
    int[][] rows = new int[batchSize][];
    for (int i = 0; i < batchSize; i++) {
      rows[i] = ids(length, i, config.vocabularySize());
    }
    return new WarmupRequest(signature, wide, rows);
  }

  /** Fixed ids without a short period, so that the same input gives the same bytes. */
  static int[] ids(int length, int row, int vocabularySize) {
    int[] ids = new int[length];
    for (int t = 0; t < length; t++) {
      ids[t] = (int) ((t * 7_919L + t * (long) t * 31 + row * 104_729L) % vocabularySize);
    }
    return ids;
  }
}
