package org.lathe.training.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.lathe.testdata.SeededCases;
import org.lathe.training.evaluation.ScoredText;
import org.lathe.training.evaluation.ScoredTexts;

class MemoryScanTest {
  private static final double SCALE = 0.37;

  /** Item by item against the definition, on random texts, windows and capacities. */
  @Test
  void equalsBruteForce() {
    SeededCases.run(
        300,
        random -> {
          ScoredText text = ScoredTexts.random(random);
          int longTermItems = random.nextInt(3) == 0 ? 0 : random.nextInt(80);
          check(text, longTermItems, text.numPositions());
        });
  }

  @Test
  void stopsAtTheLimit() {
    SeededCases.run(
        100,
        random -> {
          ScoredText text = ScoredTexts.random(random);
          check(text, 10, random.nextInt(text.numPositions() + 1));
        });
  }

  /** With capacity for all, each earlier position is an item exactly once. */
  @Test
  void unlimitedMemorySeesEveryEarlierPositionOnce() {
    ScoredText text = ScoredTexts.random(new Random(1), 50, 8, 3);
    new MemoryScan(text, SCALE, 1_000)
        .forEach(
            50, (position, scores, values, numItems) -> assertThat(numItems).isEqualTo(position));
  }

  @Test
  void refusesNegativeCapacity() {
    ScoredText text = ScoredTexts.random(new Random(1), 5, 2, 1);
    assertThatThrownBy(() -> new MemoryScan(text, 1, -1)).hasMessageContaining("longTermItems");
  }

  private static void check(ScoredText text, int longTermItems, int limit) {
    List<Integer> visited = new ArrayList<>();
    new MemoryScan(text, SCALE, longTermItems)
        .forEach(
            limit,
            (position, scores, values, numItems) -> {
              visited.add(position);
              int w = ScoredTexts.windowOf(text, position);
              int begin = text.windows().get(w).begin();
              int oldest = Math.max(0, begin - longTermItems);
              assertThat(numItems).isEqualTo(position - oldest);
              float[] query = ScoredTexts.tap(text, w, position);
              for (int item = 0; item < numItems; item++) {
                int j = oldest + item;
                // before the window: as encoded when scored; inside: as the window encodes it
                float[] key =
                    ScoredTexts.tap(text, j < begin ? ScoredTexts.windowOf(text, j) : w, j);
                double product = 0;
                for (int d = 0; d < key.length; d++) {
                  product += (double) query[d] * key[d];
                }
                assertThat((double) scores[item]).isCloseTo(SCALE * product, within(1e-5));
                assertThat(values[item]).isEqualTo(text.targets()[j]);
              }
            });
    assertThat(visited).isEqualTo(IntStream.range(0, limit).boxed().toList());
  }
}
