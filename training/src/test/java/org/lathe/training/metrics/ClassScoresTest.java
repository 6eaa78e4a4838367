package org.lathe.training.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class ClassScoresTest {
  private static final double EPSILON = 1e-12;

  // tp 4, fn 2, fp 1, tn 3
  private static final int[] EXPECTED = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
  private static final int[] PREDICTED = {1, 1, 1, 1, 0, 0, 1, 0, 0, 0};

  @Test
  void twoClassesByHand() {
    assertThat(ClassScores.numCorrect(PREDICTED, EXPECTED)).isEqualTo(7);
    assertThat(ClassScores.accuracy(PREDICTED, EXPECTED)).isEqualTo(0.7);
    // precision 4/5, recall 4/6
    assertThat(ClassScores.f1(PREDICTED, EXPECTED)).isCloseTo(8.0 / 11, within(EPSILON));
    // (4 * 3 - 1 * 2) / sqrt(5 * 6 * 4 * 5)
    assertThat(ClassScores.matthews(PREDICTED, EXPECTED))
        .isCloseTo(10 / Math.sqrt(600), within(EPSILON));
  }

  @Test
  void f1AsksForClassOneOnly() {
    assertThat(ClassScores.f1(new int[] {0, 2, 1}, new int[] {0, 2, 1})).isEqualTo(1);
    assertThat(ClassScores.f1(new int[] {0, 2, 1}, new int[] {0, 2, 2})).isEqualTo(0);
    assertThat(ClassScores.f1(new int[] {2, 1, 1}, new int[] {0, 1, 2}))
        .isCloseTo(2.0 / 3, within(EPSILON));
  }

  /** The multi-class formula is the covariance of one-hot matrices over their deviations. */
  @Test
  void matthewsOfManyClassesIsACorrelationOfIndicators() {
    Random random = new Random(5);
    int numClasses = 4;
    int size = 60;
    int[] predicted = random.ints(size, 0, numClasses).toArray();
    int[] expected = random.ints(size, 0, numClasses).toArray();
    double together = 0;
    double squaresPredicted = 0;
    double squaresExpected = 0;
    for (int k = 0; k < numClasses; k++) {
      double meanPredicted = 0;
      double meanExpected = 0;
      for (int i = 0; i < size; i++) {
        meanPredicted += (predicted[i] == k ? 1.0 : 0) / size;
        meanExpected += (expected[i] == k ? 1.0 : 0) / size;
      }
      for (int i = 0; i < size; i++) {
        double p = (predicted[i] == k ? 1 : 0) - meanPredicted;
        double e = (expected[i] == k ? 1 : 0) - meanExpected;
        together += p * e;
        squaresPredicted += p * p;
        squaresExpected += e * e;
      }
    }
    assertThat(ClassScores.matthews(predicted, expected))
        .isCloseTo(together / Math.sqrt(squaresPredicted * squaresExpected), within(1e-10));
  }

  @Test
  void constantPredictionsHaveNoCorrelation() {
    int[] expected = {0, 1, 1, 0};
    assertThat(ClassScores.matthews(new int[] {1, 1, 1, 1}, expected)).isEqualTo(0);
    assertThat(ClassScores.matthews(new int[] {0, 0, 0, 0}, expected)).isEqualTo(0);
    assertThat(ClassScores.matthews(expected, new int[] {1, 1, 1, 1})).isEqualTo(0);
    assertThat(ClassScores.f1(new int[] {0, 0, 0, 0}, expected)).isEqualTo(0);
    assertThat(ClassScores.f1(new int[] {0, 0}, new int[] {0, 0})).isEqualTo(0);
    assertThat(ClassScores.matthews(expected, expected)).isEqualTo(1);
    assertThat(ClassScores.matthews(new int[] {1, 0, 0, 1}, expected)).isEqualTo(-1);
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertThatThrownBy(() -> ClassScores.accuracy(new int[1], new int[2]))
        .hasMessageContaining("1 predictions for 2 examples");
    assertThatThrownBy(() -> ClassScores.accuracy(new int[0], new int[0]))
        .isInstanceOf(IllegalArgumentException.class);
    // an unlabelled example
    assertThatThrownBy(() -> ClassScores.matthews(new int[] {0}, new int[] {-1}))
        .hasMessageContaining("-1");
  }
}
