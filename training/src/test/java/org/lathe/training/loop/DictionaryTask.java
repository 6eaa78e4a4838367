package org.lathe.training.loop;

import java.util.Collections;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.lathe.training.batching.Batch;
import org.lathe.training.batching.Batches;

/**
 * The cross-segment dictionary: each document is two segments of 32 tokens that list the same eight
 * (key, value) pairs in different orders as [marker, key, value, filler]. Attention sees one segment,
 * so the values of the second are worth ln 64 = 4.159 nats without memory and 0 with it.
 */
final class DictionaryTask implements Batches {
  static final int SEGMENT_LENGTH = 32;
  static final int NUM_DOCUMENTS = 8;
  static final int NUM_PAIRS = 8;
  static final int NUM_KEYS = 64;
  static final int NUM_VALUES = 64;

  /** Keys, values, marker, filler. */
  static final int VOCABULARY_SIZE = NUM_KEYS + NUM_VALUES + 2;

  private static final int MARKER = NUM_KEYS + NUM_VALUES;
  private static final int FILLER = MARKER + 1;

  private final long seed;

  DictionaryTask(long seed) {
    this.seed = seed;
  }

  @Override
  public int batchSize() {
    return 2 * NUM_DOCUMENTS;
  }

  @Override
  public int segmentLength() {
    return SEGMENT_LENGTH;
  }

  @Override
  public long batchesPerEpoch() {
    return Long.MAX_VALUE;
  }

  @Override
  public Batch at(long microStep) {
    Random random = new Random(seed * 1_000_003 + microStep);
    int[] inputs = new int[batchSize() * SEGMENT_LENGTH];
    int[] targets = new int[inputs.length];
    for (int document = 0; document < NUM_DOCUMENTS; document++) {
      List<int[]> pairs = pairs(random);
      for (int half = 0; half < 2; half++) {
        Collections.shuffle(pairs, random);
        int begin = (2 * document + half) * SEGMENT_LENGTH;
        for (int p = 0; p < NUM_PAIRS; p++) {
          int at = begin + 4 * p;
          inputs[at] = MARKER;
          inputs[at + 1] = pairs.get(p)[0];
          inputs[at + 2] = NUM_KEYS + pairs.get(p)[1];
          inputs[at + 3] = FILLER;
        }
        for (int i = 0; i < SEGMENT_LENGTH; i++) {
          targets[begin + i] = i + 1 < SEGMENT_LENGTH ? inputs[begin + i + 1] : MARKER;
        }
      }
    }
    return new Batch(batchSize(), SEGMENT_LENGTH, inputs, targets);
  }

  /** Eight different keys with values drawn freely. */
  private static List<int[]> pairs(Random random) {
    List<Integer> keys = new ArrayList<>();
    for (int key = 0; key < NUM_KEYS; key++) {
      keys.add(key);
    }
    Collections.shuffle(keys, random);
    List<int[]> pairs = new ArrayList<>();
    for (int p = 0; p < NUM_PAIRS; p++) {
      pairs.add(new int[] {keys.get(p), random.nextInt(NUM_VALUES)});
    }
    return pairs;
  }

  /** Whether this flattened position predicts a value in the second segment of its document. */
  static boolean predictsSecondValue(int position) {
    return (position / SEGMENT_LENGTH) % 2 == 1 && position % 4 == 1;
  }
}
