package org.lathe.training.evaluation;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.training.datastore.ExternalMemory;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.MemoryScan;

/**
 * Joins memory to what a model says about the next token of a text: local memory, which is the text
 * itself, and the items of a store that are nearest to its last position. The same scores and
 * mixing as in an evaluation, for all tokens in place of the target.
 */
public final class NextTokenMemory {
  private static final int UNKNOWN = -1;

  private final double scoreScale;
  private final MemoryMixing mixing;
  private final @Nullable ExternalMemory external;
  private final int neighbors;

  /**
   * @param scoreScale factor on inner products
   * @param external null = local memory only; stays open
   * @param neighbors K
   */
  public NextTokenMemory(
      double scoreScale, MemoryMixing mixing, @Nullable ExternalMemory external, int neighbors) {
    this.scoreScale = scoreScale;
    this.mixing = mixing;
    this.external = external;
    this.neighbors = neighbors;
  }

  /**
   * @param tokens of the text, all that the model has read (T)
   * @param scored what the model says after them
   */
  public NextToken after(int[] tokens, NextTokenScorer.Scored scored) {
    int last = tokens.length - 1;
    int width = scored.taps().length / tokens.length;
    VisibleItems items = new VisibleItems();
    int[] targets = Arrays.copyOfRange(tokens, 1, tokens.length + 1);
    targets[last] = UNKNOWN;
    items.addRecent(
        new MemoryScan(unscored(targets, scored.taps(), width), scoreScale, 0),
        last,
        position -> 0);
    if (external != null) {
      float[] query = Arrays.copyOfRange(scored.taps(), last * width, tokens.length * width);
      items.addExternal(
          CachedNeighbors.search(
              unscored(new int[] {UNKNOWN}, query, width),
              external,
              scoreScale,
              neighbors,
              OwnPositions.NONE,
              (what, done, total) -> {}),
          0,
          external.items());
    }
    return new NextToken(last, scored.logits(), items, mixing);
  }

  /** One window, of which only taps and tokens are read: the right next token is not known yet. */
  private static ScoredText unscored(int[] targets, float[] taps, int width) {
    return new ScoredText(
        targets,
        new double[targets.length],
        new double[targets.length],
        new double[targets.length],
        List.of(new SlidingWindows.Window(0, 0, targets.length)),
        List.of(taps),
        width);
  }
}
