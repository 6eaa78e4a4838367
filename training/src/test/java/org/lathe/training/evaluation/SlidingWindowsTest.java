package org.lathe.training.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.lathe.testdata.SeededCases;

class SlidingWindowsTest {
  @Test
  void anExample() {
    assertThat(new SlidingWindows(4, 2).over(9))
        .containsExactly(
            new SlidingWindows.Window(0, 0, 4),
            new SlidingWindows.Window(2, 4, 6),
            new SlidingWindows.Window(4, 6, 8),
            new SlidingWindows.Window(5, 8, 9));
    assertThat(new SlidingWindows(4, 4).over(3))
        .containsExactly(new SlidingWindows.Window(0, 0, 3));
  }

  @Test
  void everyPositionIsScoredOnceInFullWindowsWithContext() {
    SeededCases.run(
        500,
        random -> {
          int size = 1 + random.nextInt(40);
          int stride = 1 + random.nextInt(size);
          int numPositions = 1 + random.nextInt(200);
          List<SlidingWindows.Window> windows = new SlidingWindows(size, stride).over(numPositions);
          int next = 0;
          for (SlidingWindows.Window window : windows) {
            assertThat(window.scoredFrom()).as("no gap, no overlap").isEqualTo(next);
            assertThat(window.begin()).isBetween(0, window.scoredFrom());
            assertThat(window.end()).isGreaterThan(window.scoredFrom());
            assertThat(window.end() - window.begin()).isEqualTo(Math.min(size, numPositions));
            if (next > 0) {
              int context = window.scoredFrom() - window.begin();
              assertThat(context).isGreaterThanOrEqualTo(size - stride);
              assertThat(window.end() - window.scoredFrom()).isLessThanOrEqualTo(stride);
            }
            next = window.end();
          }
          assertThat(next).isEqualTo(numPositions);
        });
  }

  @Test
  void refusesImpossibleProtocols() {
    assertThatThrownBy(() -> new SlidingWindows(0, 1)).hasMessageContaining("window (0)");
    assertThatThrownBy(() -> new SlidingWindows(4, 0)).hasMessageContaining("stride (0)");
    assertThatThrownBy(() -> new SlidingWindows(4, 5)).hasMessageContaining("stride (5)");
    assertThatThrownBy(() -> new SlidingWindows(4, 4).over(0)).hasMessageContaining("nothing");
  }
}
