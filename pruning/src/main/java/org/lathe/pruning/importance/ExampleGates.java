package org.lathe.pruning.importance;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateSet;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Gates of heads and feed-forward units that every example has a copy of, so that one backward pass
 * gives the gradient of each example's own loss. Shape letters: B batch, T length, N heads, F
 * units.
 */
final class ExampleGates implements Gates {
  private final List<Operand<TFloat32>> headsBN;
  private final List<Operand<TFloat32>> unitsBF;
  private final List<Operand<TFloat32>> unitsOfPositions;

  /**
   * @param shared the value that all copies of a gate have
   * @param presentBT whose shape is that of the batch
   */
  ExampleGates(
      Ops tf, TransformerConfig config, GateSet shared, Operand<TInt32> presentBT, int batchSize) {
    BlockShape block = GateKind.requireUniform(config);
    int numUnits = block.intermediateSize();
    ImmutableList.Builder<Operand<TFloat32>> heads = ImmutableList.builder();
    ImmutableList.Builder<Operand<TFloat32>> units = ImmutableList.builder();
    ImmutableList.Builder<Operand<TFloat32>> positions = ImmutableList.builder();
    Operand<TInt32> length = tf.gather(tf.shape(presentBT), tf.constant(1), tf.constant(0));
    Operand<TInt32> shapeBTF =
        tf.stack(List.of(tf.constant(batchSize), length, tf.constant(numUnits)));
    for (int layer = 0; layer < config.numLayers(); layer++) {
      heads.add(copies(tf, shared.heads(layer), batchSize, block.numHeads()));
      Operand<TFloat32> ofExamples = copies(tf, shared.intermediate(layer), batchSize, numUnits);
      units.add(ofExamples);
      positions.add(
          tf.reshape(
              tf.broadcastTo(tf.expandDims(ofExamples, tf.constant(1)), shapeBTF),
              tf.constant(new int[] {-1, numUnits})));
    }
    headsBN = heads.build();
    unitsBF = units.build();
    unitsOfPositions = positions.build();
  }

  private static Operand<TFloat32> copies(
      Ops tf, @Nullable Operand<TFloat32> gate, int batchSize, int size) {
    if (gate == null) {
      throw new IllegalArgumentException("gates of heads and feed-forward units are needed");
    }
    return tf.broadcastTo(gate, tf.constant(new int[] {batchSize, size}));
  }

  /** What gradients are taken in: (B, N) of each layer, then (B, F) of each layer. */
  List<Operand<TFloat32>> all() {
    return ImmutableList.<Operand<TFloat32>>builder().addAll(headsBN).addAll(unitsBF).build();
  }

  @Override
  public Operand<TFloat32> heads(int layer) {
    return headsBN.get(layer);
  }

  @Override
  public Operand<TFloat32> intermediate(int layer) {
    return unitsOfPositions.get(layer);
  }
}
