package org.lathe.export.savedmodel;

import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.lathe.export.format.EncoderFacts;
import org.lathe.export.format.EncoderSignatures;
import org.lathe.export.format.SignatureNames;
import org.lathe.export.format.WarmupRequest;

/**
 * Which requests a server replays before it announces an encoder, and which sequences are recorded.
 */
final class EncoderWarmup {
  private static final int[] BATCH_SIZES = {1, 8};
  private static final int SHORT_LENGTH = 16;
  private static final int USUAL_LENGTH = 128;

  /** Tokens of the longest recorded sequence. */
  private static final int REFERENCE_LENGTH = 48;

  /** A recorded sequence: ids and types of its tokens. */
  record Sequence(int[] ids, int[] types) {}

  private EncoderWarmup() {}

  /** Batches of 1 and 8 at lengths 16, 128 and the longest; one request each for the others. */
  static List<WarmupRequest> requests(EncoderFacts facts, int numTokenTypes) {
    int shortLength = Math.min(SHORT_LENGTH, facts.maxLength());
    TreeSet<Integer> lengths = new TreeSet<>(List.of(shortLength, facts.maxLength()));
    lengths.add(Math.min(USUAL_LENGTH, facts.maxLength()));
    List<WarmupRequest> requests = new ArrayList<>();
    for (int batchSize : BATCH_SIZES) {
      for (int length : lengths) {
        if (batchSize == 1 || (long) batchSize * length <= WarmupPlan.MAX_IDS) {
          requests.add(
              new WarmupRequest(
                  EncoderSignatures.SERVING,
                  false,
                  inputs(batchSize, length, facts, numTokenTypes)));
        }
      }
    }
    Map<String, int[][]> few = inputs(2, shortLength, facts, numTokenTypes);
    requests.add(new WarmupRequest(EncoderSignatures.SERVING_INT64, true, few));
    requests.add(
        new WarmupRequest(
            EncoderSignatures.IDS_ONLY,
            false,
            few.getOrDefault(SignatureNames.INPUT, new int[0][])));
    return requests;
  }

  /** Rows of two texts; the last of several rows is half padding. */
  private static Map<String, int[][]> inputs(
      int batchSize, int length, EncoderFacts facts, int numTokenTypes) {
    int[][] ids = new int[batchSize][];
    int[][] mask = new int[batchSize][length];
    int[][] types = new int[batchSize][];
    for (int i = 0; i < batchSize; i++) {
      ids[i] = ids(length, i, facts);
      types[i] = types(length, numTokenTypes);
      Arrays.fill(mask[i], 1);
    }
    if (batchSize > 1) {
      int numTokens = (length + 1) / 2;
      Arrays.fill(ids[batchSize - 1], numTokens, length, facts.paddingId());
      Arrays.fill(mask[batchSize - 1], numTokens, length, 0);
      Arrays.fill(types[batchSize - 1], numTokens, length, 0);
    }
    return ImmutableMap.of(
        SignatureNames.INPUT, ids,
        EncoderSignatures.ATTENTION_MASK, mask,
        EncoderSignatures.TOKEN_TYPES, types);
  }

  /** Of different lengths, so that they need padding; one text and two. */
  static List<Sequence> referenceSequences(EncoderFacts facts, int numTokenTypes) {
    List<Sequence> sequences = new ArrayList<>();
    int row = 0;
    for (int length : new int[] {1, 7, 19, REFERENCE_LENGTH}) {
      int numTokens = Math.min(length, facts.maxLength());
      int[] ids = ids(numTokens, ++row, facts);
      sequences.add(new Sequence(ids, new int[numTokens]));
      if (numTokenTypes > 1) {
        sequences.add(new Sequence(ids, types(numTokens, numTokenTypes)));
      }
    }
    return sequences;
  }

  /** Types 0, then 1, as many as there are. */
  private static int[] types(int length, int numTokenTypes) {
    int[] types = new int[length];
    if (numTokenTypes > 1) {
      Arrays.fill(types, length / 2, length, 1);
    }
    return types;
  }

  /** No padding among them. */
  private static int[] ids(int length, int row, EncoderFacts facts) {
    int[] ids = WarmupPlan.ids(length, row, facts.vocabularySize());
    for (int t = 0; t < length; t++) {
      if (ids[t] == facts.paddingId()) {
        ids[t] = (ids[t] + 1) % facts.vocabularySize();
      }
    }
    return ids;
  }
}
