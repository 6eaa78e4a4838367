package org.lathe.pruning.importance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class GradientSampleTest {
  private static final int NUM_LAYERS = 2;
  private static final int NUM_HEADS = 3;
  private static final int NUM_UNITS = 4;
  private static final int BATCH_SIZE = 2;
  private static final int NUM_BATCHES = 5;

  private final float[][][] heads = new float[NUM_BATCHES * BATCH_SIZE][NUM_LAYERS][NUM_HEADS];
  private final float[][][] units = new float[NUM_BATCHES * BATCH_SIZE][NUM_LAYERS][NUM_UNITS];

  /** The same numbers by example, and in batches as the runner gives them. */
  private GradientSample draw() {
    Random random = new Random(5);
    GradientSample sample = new GradientSample();
    for (int first = 0; first < heads.length; first += BATCH_SIZE) {
      float[][] headRows = new float[NUM_LAYERS][BATCH_SIZE * NUM_HEADS];
      float[][] unitRows = new float[NUM_LAYERS][BATCH_SIZE * NUM_UNITS];
      for (int b = 0; b < BATCH_SIZE; b++) {
        for (int layer = 0; layer < NUM_LAYERS; layer++) {
          for (int i = 0; i < NUM_HEADS; i++) {
            heads[first + b][layer][i] = (float) random.nextGaussian();
            headRows[layer][b * NUM_HEADS + i] = heads[first + b][layer][i];
          }
          for (int i = 0; i < NUM_UNITS; i++) {
            units[first + b][layer][i] = (float) random.nextGaussian();
            unitRows[layer][b * NUM_UNITS + i] = units[first + b][layer][i];
          }
        }
      }
      sample.add(new GateGradients(BATCH_SIZE, headRows, unitRows));
    }
    return sample;
  }

  @Test
  void sensitivityIsTheSumOfAbsoluteGradientsOverTheLayersNorm() {
    GradientSample sample = draw();
    for (int layer = 0; layer < NUM_LAYERS; layer++) {
      double[] expected = new double[NUM_HEADS];
      double squares = 0;
      for (int i = 0; i < NUM_HEADS; i++) {
        for (float[][] example : heads) {
          expected[i] += Math.abs(example[layer][i]);
        }
        squares += Math.pow(expected[i], 2);
      }
      for (int i = 0; i < NUM_HEADS; i++) {
        assertThat(sample.sensitivityOfHeads()[layer][i])
            .isCloseTo(expected[i] / Math.sqrt(squares), within(1e-9));
      }
    }
  }

  @Test
  void aLayerThatNothingReachesHasNoSensitivity() {
    GradientSample sample = new GradientSample();
    sample.add(new GateGradients(1, new float[][] {{0, 0}}, new float[][] {{1}}));
    assertThat(sample.sensitivityOfHeads()[0]).containsExactly(0, 0);
  }

  @Test
  void fisherIsTheSumOfSquaresAndColumnsAreTheExamples() {
    GradientSample sample = draw();
    UnitScores fisher = sample.fisher();
    for (int layer = 0; layer < NUM_LAYERS; layer++) {
      for (int i = 0; i < NUM_UNITS; i++) {
        double sum = 0;
        for (int x = 0; x < units.length; x++) {
          sum += units[x][layer][i] * units[x][layer][i];
          assertThat(sample.ofUnits(layer)[i][x]).isEqualTo(units[x][layer][i]);
        }
        assertThat(fisher.intermediate()[layer][i]).isCloseTo(sum, within(1e-5));
      }
      for (int i = 0; i < NUM_HEADS; i++) {
        double sum = 0;
        for (int x = 0; x < heads.length; x++) {
          sum += heads[x][layer][i] * heads[x][layer][i];
          assertThat(sample.ofHeads(layer)[i][x]).isEqualTo(heads[x][layer][i]);
        }
        assertThat(fisher.heads()[layer][i]).isCloseTo(sum, within(1e-5));
      }
    }
  }
}
