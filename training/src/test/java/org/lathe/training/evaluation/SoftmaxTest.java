package org.lathe.training.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class SoftmaxTest {

  @Test
  void probabilitiesAreKnownOnes() {
    // odds 1 : 2 : 5, whatever is added to all
    for (float shift : new float[] {0, -1_000, 1_000}) {
      float[] logits = {shift, shift + (float) Math.log(2), shift + (float) Math.log(5)};
      double[] found = Softmax.of(logits);
      assertThat(found[0]).isCloseTo(0.125, within(1e-4));
      assertThat(found[1]).isCloseTo(0.25, within(1e-4));
      assertThat(found[2]).isCloseTo(0.625, within(1e-4));
    }
  }
}
