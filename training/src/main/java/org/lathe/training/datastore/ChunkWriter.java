package org.lathe.training.datastore;

import java.io.IOException;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;
import org.lathe.training.evaluation.SlidingWindows;

/** Encodes the chunks of a plan into the segments of a part, run by run. */
final class ChunkWriter {
  private final PartWriter part;
  private final EncodingPlan plan;
  private final TextEncoder encoder;
  private final BooleanSupplier stop;

  /**
   * @param stop asked before each run
   */
  ChunkWriter(PartWriter part, EncodingPlan plan, TextEncoder encoder, BooleanSupplier stop) {
    this.part = part;
    this.plan = plan;
    this.encoder = encoder;
    this.stop = stop;
  }

  /**
   * Writes a segment as a whole.
   *
   * @param items gets the number of items written so far
   * @return false when asked to stop; nothing of the segment is left then
   */
  boolean write(int segment, byte[] id, LongConsumer items) {
    EncodingPlan.Chunk chunk = plan.chunks().get(segment);
    try {
      part.writeSegment(
          segment,
          id,
          encoder.width(),
          plan.values(chunk),
          out -> {
            long written = 0;
            for (EncodingPlan.Run run : chunk.runs()) {
              if (stop.getAsBoolean()) {
                throw new Stopped();
              }
              written += write(run, out);
              items.accept(written);
            }
          });
      return true;
    } catch (Stopped e) {
      return false;
    }
  }

  /** Keeps the keys of items; the rest of a window is context. */
  private int write(EncodingPlan.Run run, PartWriter.KeyOutput out) throws IOException {
    int length = run.length();
    int width = encoder.width();
    float[] keys = encoder.encode(plan.tokens(run), run.windows().size(), length);
    int written = 0;
    for (int w = 0; w < run.windows().size(); w++) {
      SlidingWindows.Window window = run.windows().get(w);
      for (int position = window.scoredFrom(); position < window.end(); ) {
        int end = plan.itemsEnd(position, window.end());
        int row = w * length + position - window.begin();
        out.write(keys, row * width, (end - position) * width);
        written += end - position;
        position = end + 1;
      }
    }
    return written;
  }

  /** Leaves a segment that is being written; no failure. */
  private static final class Stopped extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Stopped() {
      super("asked to stop", null, false, false);
    }
  }
}
