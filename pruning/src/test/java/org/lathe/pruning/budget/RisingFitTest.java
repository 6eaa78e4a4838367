package org.lathe.pruning.budget;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class RisingFitTest {

  /** The closed form: the largest over a of the smallest over b of the mean of a..b around i. */
  @Test
  void isTheNearestRisingSequence() {
    Random random = new Random(3);
    for (int trial = 0; trial < 50; trial++) {
      double[] times = random.doubles(1 + random.nextInt(12)).map(v -> 10 * v).toArray();
      double[] rising = RisingFit.of(times);
      for (int i = 0; i < times.length; i++) {
        double best = Double.NEGATIVE_INFINITY;
        for (int a = 0; a <= i; a++) {
          double smallest = Double.POSITIVE_INFINITY;
          for (int b = i; b < times.length; b++) {
            double sum = 0;
            for (int j = a; j <= b; j++) {
              sum += times[j];
            }
            smallest = Math.min(smallest, sum / (b - a + 1));
          }
          best = Math.max(best, smallest);
        }
        assertThat(rising[i]).isCloseTo(best, within(1e-12));
      }
    }
  }

  @Test
  void anOutlierDoesNotRaiseWhatFollows() {
    assertThat(RisingFit.of(new double[] {1, 9, 3, 4, 10}))
        .containsExactly(1, 16 / 3.0, 16 / 3.0, 16 / 3.0, 10);
    assertThat(RisingFit.of(new double[] {1, 2, 2, 3})).containsExactly(1, 2, 2, 3);
  }
}
