package org.lathe.training.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.lathe.testdata.RandomArrays;
import org.lathe.testdata.SeededCases;

class MemoryMassTest {
  /** To float32: differences of scores are taken there. */
  @Test
  void equalsThePlainSums() {
    SeededCases.run(
        300,
        random -> {
          int size = 1 + random.nextInt(30);
          float[] scores = new float[size];
          for (int j = 0; j < size; j++) {
            scores[j] = (float) (random.nextGaussian() * 4);
          }
          int[] values = RandomArrays.ints(random, size, 4);
          int begin = random.nextInt(size);
          int end = begin + 1 + random.nextInt(size - begin);
          double temperature = 0.3 + random.nextDouble();
          double all = 0;
          double matching = 0;
          for (int j = begin; j < end; j++) {
            double mass = Math.exp(scores[j] / temperature);
            all += mass;
            matching += values[j] == 2 ? mass : 0;
          }
          MemoryMass mass = MemoryMass.of(scores, values, begin, end, 2, temperature);
          assertThat(mass.all()).isCloseTo(Math.log(all), within(1e-6));
          if (matching == 0) {
            assertThat(mass.matching()).isEqualTo(Double.NEGATIVE_INFINITY);
          } else {
            assertThat(mass.matching()).isCloseTo(Math.log(matching), within(1e-6));
          }
        });
  }

  @Test
  void largeScoresDoNotOverflow() {
    MemoryMass mass =
        MemoryMass.of(new float[] {1e5f, 1e5f, -1e5f}, new int[] {1, 2, 1}, 0, 3, 1, 0.2);
    assertThat(mass.all()).isCloseTo(5e5 + Math.log(2), within(1e-9));
    assertThat(mass.matching()).isEqualTo(5e5);
  }

  @Test
  void noItems() {
    assertThat(MemoryMass.of(new float[3], new int[3], 2, 2, 0, 1)).isEqualTo(MemoryMass.EMPTY);
  }

  @Test
  void logAddIsExactAtItsEnds() {
    double none = Double.NEGATIVE_INFINITY;
    assertThat(MemoryMass.logAdd(none, none)).isEqualTo(none);
    assertThat(MemoryMass.logAdd(none, 3)).isEqualTo(3);
    assertThat(MemoryMass.logAdd(3, none)).isEqualTo(3);
    assertThat(MemoryMass.logAdd(1e4, 1e4)).isEqualTo(1e4 + Math.log(2));
    assertThat(MemoryMass.logAdd(Math.log(2), Math.log(3))).isCloseTo(Math.log(5), within(1e-15));
  }
}
