package org.lathe.training.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.lathe.testdata.SeededCases;
import org.lathe.training.memory.InterpolationBuckets.Feature;

class InterpolationBucketsTest {
  private static final int LEAST = InterpolationBuckets.MIN_POSITIONS;

  /** Whatever the ties, no bucket of the text they were made on is small. */
  @Test
  void everyBucketHasEnoughPositions() {
    SeededCases.run(
        100,
        random -> {
          int distinct = 1 + random.nextInt(random.nextBoolean() ? 12 : 100_000);
          double[] values =
              random
                  .doubles(1 + random.nextInt(12 * LEAST))
                  .map(x -> Math.rint(x * x * distinct))
                  .toArray();
          InterpolationBuckets buckets = InterpolationBuckets.quantiles(Feature.BEST_SCORE, values);
          int[] sizes = new int[buckets.size()];
          Arrays.sort(values);
          int last = 0;
          for (double value : values) {
            int bucket = buckets.of(value);
            assertThat(bucket).isGreaterThanOrEqualTo(last);
            last = bucket;
            sizes[bucket]++;
          }
          assertThat(buckets.size()).isBetween(1, InterpolationBuckets.MAX_BUCKETS);
          if (buckets.size() > 1) {
            assertThat(Arrays.stream(sizes).min().orElseThrow()).isGreaterThanOrEqualTo(LEAST);
          }
        });
  }

  @Test
  void distinctValuesAreSpreadEvenly() {
    double[] values = new double[20 * LEAST];
    Arrays.setAll(values, i -> (i * 7919L) % values.length);
    InterpolationBuckets buckets = InterpolationBuckets.quantiles(Feature.CONFIDENCE, values);
    assertThat(buckets.size()).isEqualTo(InterpolationBuckets.MAX_BUCKETS);
    int[] sizes = new int[buckets.size()];
    for (double value : values) {
      sizes[buckets.of(value)]++;
    }
    assertThat(sizes).containsOnly(values.length / buckets.size());
  }

  @Test
  void fewPositionsShareOneBucket() {
    double[] values = new double[2 * LEAST];
    Arrays.setAll(values, i -> i);
    double[] fewer = Arrays.copyOf(values, values.length - 1);
    assertThat(InterpolationBuckets.quantiles(Feature.CONFIDENCE, fewer))
        .isEqualTo(InterpolationBuckets.ONE);
    assertThat(InterpolationBuckets.quantiles(Feature.CONFIDENCE, values))
        .isEqualTo(new InterpolationBuckets(Feature.CONFIDENCE, List.of((double) LEAST)));
    assertThat(InterpolationBuckets.quantiles(Feature.CONSTANT, new double[9 * LEAST]))
        .isEqualTo(InterpolationBuckets.ONE);
    assertThat(InterpolationBuckets.ONE.of(Double.NaN)).isZero();
  }

  @Test
  void refusesWhatIsNoSortingOrNoWeight() {
    assertThatThrownBy(() -> new InterpolationBuckets(Feature.CONFIDENCE, List.of(1.0, 1.0)))
        .hasMessageContaining("ascend");
    assertThatThrownBy(() -> new InterpolationBuckets(Feature.CONFIDENCE, List.of()))
        .hasMessageContaining("0 thresholds");
    InterpolationBuckets two = new InterpolationBuckets(Feature.CONFIDENCE, List.of(-1.0));
    assertThatThrownBy(() -> two.of(Double.NaN)).hasMessageContaining("CONFIDENCE");
    assertThat(two.of(-1)).isEqualTo(1);
    assertThatThrownBy(() -> new AdaptiveInterpolation(two, List.of(0.1)))
        .hasMessageContaining("1 interpolations for 2 buckets");
    assertThatThrownBy(() -> new AdaptiveInterpolation(two, List.of(0.1, 1.0)))
        .hasMessageContaining("interpolation (1.0)");
  }
}
