package org.lathe.training.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class FrequencyBucketsTest {
  private static final FrequencyBuckets BUCKETS =
      new FrequencyBuckets(new long[] {10_001, 10_000, 1_001, 1_000, 101, 100, 11, 10, 0});

  /** Every edge of every bucket. */
  @Test
  void edges() {
    int[] targets = {0, 1, 2, 3, 4, 5, 6, 7, 8, 99};
    double[] logs = new double[targets.length];
    for (int i = 0; i < logs.length; i++) {
      logs[i] = -i;
    }
    List<FrequencyBuckets.Bucket> found = BUCKETS.of(targets, logs);
    assertThat(found)
        .extracting(FrequencyBuckets.Bucket::name)
        .containsExactly(">10k", "1k-10k", "100-1k", "10-100", "<=10");
    assertThat(found)
        .extracting(FrequencyBuckets.Bucket::numPositions)
        .containsExactly(1, 2, 2, 2, 3);
    assertThat(Math.log(found.get(1).perplexity())).isCloseTo(1.5, within(1e-12));
    assertThat(Math.log(found.get(4).perplexity())).isCloseTo(8, within(1e-12));
  }

  /** Weighted by size the buckets give the whole. */
  @Test
  void togetherTheyAreThePerplexity() {
    int[] targets = {0, 5, 5, 8, 2, 0, 7};
    double[] logs = {-1, -2.5, -0.25, -7, -3, -0.5, -4};
    double sum = 0;
    for (FrequencyBuckets.Bucket bucket : BUCKETS.of(targets, logs)) {
      sum += bucket.numPositions() == 0 ? 0 : bucket.numPositions() * Math.log(bucket.perplexity());
    }
    assertThat(sum).isCloseTo(18.25, within(1e-9));
  }

  @Test
  void emptyBucketsHaveNoPerplexity() {
    assertThat(BUCKETS.of(new int[] {0}, new double[] {-1}).get(3).perplexity()).isNaN();
    assertThatThrownBy(() -> BUCKETS.of(new int[2], new double[1])).hasMessageContaining("2");
  }
}
