package org.lathe.training.examples;

import com.google.common.base.Preconditions;
import com.google.common.hash.Hashing;
import java.util.Arrays;
import java.util.Random;

/**
 * Hides tokens of a batch to be guessed (Devlin et al. 2019, section 3.1): of each row 15 % of the
 * tokens that are no special ones, at least one; of these 80 % become the mask, 10 % any token of
 * the vocabulary, and 10 % stay as they are. Which ones depends on seed, draw and row alone, so
 * that a resumed run hides the same tokens and a validation always the same ones.
 *
 * @param maskId of the mask
 * @param vocabularySize V
 * @param specialIds that are never hidden, such as those of the ends and of padding
 */
public record TokenMasking(int maskId, int vocabularySize, int... specialIds) {
  static final double CHOSEN_SHARE = 0.15;
  static final double MASKED_SHARE = 0.8;
  static final double RANDOM_SHARE = 0.1;

  public TokenMasking {
    Preconditions.checkArgument(
        maskId >= 0 && maskId < vocabularySize,
        "maskId (%s) must be in [0, vocabularySize = %s)",
        maskId,
        vocabularySize);
    specialIds = specialIds.clone();
    Arrays.sort(specialIds);
  }

  /**
   * The batch with hidden tokens, and what stood there as its targets; a row of nothing but special
   * tokens has none.
   *
   * @param draw another for every time that a row is seen in training
   */
  public ExampleBatch mask(ExampleBatch batch, long seed, long draw) {
    int[] ids = batch.ids().clone();
    int[] places = new int[ids.length];
    int count = 0;
    for (int row = 0; row < batch.batchSize(); row++) {
      int start = row * batch.length();
      int[] candidates = candidates(batch, start);
      Random random = random(seed, draw, batch.rows()[row]);
      int numChosen = numChosen(candidates.length);
      for (int i = 0; i < numChosen; i++) {
        // the first of a shuffle that goes no further than it is needed
        int other = i + random.nextInt(candidates.length - i);
        int place = candidates[other];
        candidates[other] = candidates[i];
        ids[place] = replacement(ids[place], random);
        places[count++] = place;
      }
    }
    places = Arrays.copyOf(places, count);
    Arrays.sort(places);
    int[] words = Arrays.stream(places).map(place -> batch.ids()[place]).toArray();
    return new ExampleBatch(
        batch.batchSize(),
        batch.length(),
        batch.numRows(),
        batch.rows(),
        ids,
        batch.mask(),
        batch.tokenTypes(),
        RowTargets.ofMasked(places, words));
  }

  static int numChosen(int numCandidates) {
    return Math.min(numCandidates, Math.max(1, (int) Math.rint(CHOSEN_SHARE * numCandidates)));
  }

  private int[] candidates(ExampleBatch batch, int start) {
    int[] found = new int[batch.length()];
    int count = 0;
    for (int place = start; place < start + batch.length(); place++) {
      if (batch.mask()[place] == 1 && Arrays.binarySearch(specialIds, batch.ids()[place]) < 0) {
        found[count++] = place;
      }
    }
    return Arrays.copyOf(found, count);
  }

  private int replacement(int id, Random random) {
    double fate = random.nextDouble();
    if (fate < MASKED_SHARE) {
      return maskId;
    }
    return fate < MASKED_SHARE + RANDOM_SHARE ? random.nextInt(vocabularySize) : id;
  }

  private static Random random(long seed, long draw, int row) {
    return new Random(
        Hashing.murmur3_128().newHasher().putLong(seed).putLong(draw).putInt(row).hash().asLong());
  }
}
