package org.lathe.training.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.lathe.testdata.RandomArrays;
import org.lathe.testdata.SeededCases;
import org.lathe.training.evaluation.ScoredText;
import org.lathe.training.evaluation.ScoredTexts;

class MassGridTest {
  @Test
  void equalsTheMassAtEachTemperature() {
    SeededCases.run(
        200,
        random -> {
          int size = 1 + random.nextInt(40);
          float[] scores = new float[size];
          for (int j = 0; j < size; j++) {
            // wide enough that cold items vanish and some are absent
            scores[j] =
                random.nextInt(6) == 0
                    ? Float.NEGATIVE_INFINITY
                    : (float) (random.nextGaussian() * 200);
          }
          int[] values = RandomArrays.ints(random, size, 3);
          int begin = random.nextInt(size);
          MassGrid grid = new MassGrid(2);
          grid.set(1, scores, values, begin, size, 2);
          for (int t = 0; t < MassGrid.NUM_TEMPERATURES; t++) {
            MemoryMass expected =
                MemoryMass.of(scores, values, begin, size, 2, MassGrid.temperature(t));
            assertThat(grid.at(0, t)).isEqualTo(MemoryMass.EMPTY);
            assertThat(grid.at(1, t).isEmpty()).isEqualTo(expected.isEmpty());
            assertThat(Math.exp(grid.at(1, t).matching() - grid.at(1, t).all()))
                .isCloseTo(Math.exp(expected.matching() - expected.all()), within(1e-12));
            if (!expected.isEmpty()) {
              assertThat(grid.at(1, t).all())
                  .isCloseTo(expected.all(), within(1e-9 * (1 + Math.abs(expected.all()))));
            }
          }
        });
  }

  @Test
  void ofAScanHoldsEveryPosition() {
    SeededCases.run(
        20,
        random -> {
          ScoredText text = ScoredTexts.random(random);
          MemoryScan scan = new MemoryScan(text, 0.5, random.nextInt(40));
          MassGrid grid = MassGrid.of(scan);
          scan.forEach(
              text.numPositions(),
              (position, scores, values, numItems) -> {
                MemoryMass expected =
                    MemoryMass.of(
                        scores,
                        values,
                        0,
                        numItems,
                        text.targets()[position],
                        MassGrid.temperature(7));
                assertThat(grid.at(position, 7).isEmpty()).isEqualTo(numItems == 0);
                if (numItems > 0) {
                  assertThat(grid.at(position, 7).all()).isCloseTo(expected.all(), within(1e-9));
                }
              });
        });
  }

  @Test
  void temperaturesHalveInFourSteps() {
    assertThat(MassGrid.temperature(0)).isEqualTo(4);
    assertThat(MassGrid.temperature(8)).isEqualTo(1);
    assertThat(MassGrid.temperature(19)).isCloseTo(0.1487, within(1e-4));
  }
}
