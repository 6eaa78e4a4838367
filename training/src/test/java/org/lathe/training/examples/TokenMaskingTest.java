package org.lathe.training.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class TokenMaskingTest {
  private static final int VOCABULARY = 1_000;
  private static final int MASK = 4;
  private static final int END = 2;
  private static final TokenMasking MASKING = new TokenMasking(MASK, VOCABULARY, 0, END);

  /** Rows of ids from 10 on, all different, between ends, and padding behind the shorter ones. */
  private static ExampleBatch batch(int... numTokens) {
    int length = Arrays.stream(numTokens).max().orElseThrow() + 2;
    int size = numTokens.length * length;
    int[] ids = new int[size];
    int[] mask = new int[size];
    for (int row = 0; row < numTokens.length; row++) {
      for (int i = 0; i < numTokens[row] + 2; i++) {
        boolean end = i == 0 || i == numTokens[row] + 1;
        ids[row * length + i] = end ? END : 10 + i;
        mask[row * length + i] = 1;
      }
    }
    int[] rows = new int[numTokens.length];
    Arrays.setAll(rows, row -> 70 + row);
    return new ExampleBatch(
        rows.length, length, rows.length, rows, ids, mask, new int[size], RowTargets.NONE);
  }

  @Test
  void choosesAShareOfEachRowAndRemembersWhatStoodThere() {
    ExampleBatch whole = batch(20, 3, 100, 0);
    ExampleBatch hidden = MASKING.mask(whole, 1, 5);
    int[] chosen = new int[4];
    int next = 0;
    for (int place = 0; place < whole.ids().length; place++) {
      boolean isChosen =
          next < hidden.targets().places().length && hidden.targets().places()[next] == place;
      if (isChosen) {
        assertThat(hidden.targets().words()[next]).isEqualTo(whole.ids()[place]);
        assertThat(whole.ids()[place]).isGreaterThanOrEqualTo(10);
        chosen[place / whole.length()]++;
        next++;
      } else {
        assertThat(hidden.ids()[place]).isEqualTo(whole.ids()[place]);
      }
    }
    assertThat(next).isEqualTo(hidden.targets().places().length);
    // 15 % of 20, 3 and 100 tokens, at least one; a row of ends has none
    assertThat(chosen).containsExactly(3, 1, 15, 0);
  }

  @Test
  void eightyTenTen() {
    ExampleBatch whole = batch(200);
    int masked = 0;
    int kept = 0;
    int total = 0;
    int[] often = new int[whole.length()];
    for (long draw = 0; draw < 400; draw++) {
      ExampleBatch hidden = MASKING.mask(whole, 1, draw);
      for (int place : hidden.targets().places()) {
        total++;
        often[place]++;
        masked += hidden.ids()[place] == MASK ? 1 : 0;
        kept += hidden.ids()[place] == whole.ids()[place] ? 1 : 0;
      }
    }
    assertThat(total).isEqualTo(400 * 30);
    // four standard errors of 12,000 draws, and the mask or the word itself by chance
    assertThat((double) masked / total).isCloseTo(0.8, within(0.016));
    assertThat((double) kept / total).isCloseTo(0.1, within(0.012));
    // every token but the ends is chosen in 60 of 400 draws
    assertThat(Arrays.stream(often, 1, 201).min().orElseThrow()).isGreaterThan(25);
    assertThat(Arrays.stream(often, 1, 201).max().orElseThrow()).isLessThan(100);
  }

  @Test
  void dependsOnSeedDrawAndRowAlone() {
    ExampleBatch first = MASKING.mask(batch(30, 30), 1, 5);
    assertThat(MASKING.mask(batch(30, 30), 1, 5)).usingRecursiveComparison().isEqualTo(first);
    assertThat(MASKING.mask(batch(30, 30), 1, 6).ids()).isNotEqualTo(first.ids());
    assertThat(MASKING.mask(batch(30, 30), 2, 5).ids()).isNotEqualTo(first.ids());
    // the row's number, not its place in the batch; another row hides others
    int[] alone = MASKING.mask(batch(30), 1, 5).ids();
    assertThat(Arrays.copyOf(first.ids(), 32)).isEqualTo(alone);
    assertThat(Arrays.copyOfRange(first.ids(), 32, 64)).isNotEqualTo(alone);
  }
}
