package org.lathe.graphs.models;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tensorflow.Operand;
import org.tensorflow.types.TFloat32;

/**
 * What a recurrent model carries from one segment to the next: B independent rows, newest position
 * last, the same lengths in all layers.
 *
 * @param recent the layers' inputs at the last M positions
 * @param compressed older ones, compressed; null without compression
 */
public record RecurrentMemory(Slots recent, @Nullable Slots compressed) {

  /**
   * A first-in-first-out list of fixed length in each layer. A row that has seen fewer positions is
   * filled from the end.
   *
   * @param layersBMD one a layer, bottom first
   * @param validBM 1 where a position holds something, 0 before
   */
  public record Slots(List<Operand<TFloat32>> layersBMD, Operand<TFloat32> validBM) {
    public Slots {
      layersBMD = ImmutableList.copyOf(layersBMD);
    }
  }
}
