package org.lathe.training.evaluation;

import com.google.common.base.Preconditions;
import java.util.ArrayList;
import java.util.List;

/**
 * The Baevski-Auli protocol: a window slides over the text, and only the positions at its end are
 * scored, so that each has context (all of the first window is scored). Position i reads token i
 * and predicts token i + 1.
 *
 * @param window W, positions in a window
 * @param stride positions newly scored by each further window
 */
public record SlidingWindows(int window, int stride) {

  /**
   * One window.
   *
   * @param begin its first position
   * @param scoredFrom first position that it scores
   * @param end after its last position
   */
  public record Window(int begin, int scoredFrom, int end) {}

  public SlidingWindows {
    Preconditions.checkArgument(window > 0, "window (%s) must be positive", window);
    Preconditions.checkArgument(
        stride > 0 && stride <= window, "stride (%s) must be in 1..window (%s)", stride, window);
  }

  /**
   * Windows that score each of the positions 0 .. numPositions - 1 exactly once. The last one is
   * moved back so that it is full, where the text is long enough.
   */
  public List<Window> over(int numPositions) {
    Preconditions.checkArgument(numPositions > 0, "there is nothing to score");
    List<Window> windows = new ArrayList<>();
    int first = Math.min(window, numPositions);
    windows.add(new Window(0, 0, first));
    for (int scored = first; scored < numPositions; ) {
      int end = Math.min(scored + stride, numPositions);
      windows.add(new Window(end - window, scored, end));
      scored = end;
    }
    return windows;
  }

  /**
   * Windows of stride positions next to each other, all of each scored; the last may be shorter.
   */
  public List<Window> segments(int numPositions) {
    Preconditions.checkArgument(numPositions > 0, "there is nothing to score");
    List<Window> segments = new ArrayList<>();
    for (int begin = 0; begin < numPositions; begin += stride) {
      segments.add(new Window(begin, begin, Math.min(begin + stride, numPositions)));
    }
    return segments;
  }
}
