package org.lathe.graphs.layers;

import java.util.List;
import org.lathe.graphs.gates.Gates;
import org.tensorflow.Operand;
import org.tensorflow.types.TFloat32;

/** Gates made of given operands, the same in every layer. */
public record FedGates(
    Operand<TFloat32> hidden,
    Operand<TFloat32> headGates,
    Operand<TFloat32> intermediateGates,
    Operand<TFloat32> attentionGate,
    Operand<TFloat32> feedForwardGate)
    implements Gates {

  /** Hidden, heads, intermediate, attention layer, feed-forward layer. */
  public static FedGates of(List<Operand<TFloat32>> gates) {
    return new FedGates(gates.get(0), gates.get(1), gates.get(2), gates.get(3), gates.get(4));
  }

  @Override
  public Operand<TFloat32> heads(int layer) {
    return headGates;
  }

  @Override
  public Operand<TFloat32> intermediate(int layer) {
    return intermediateGates;
  }

  @Override
  public Operand<TFloat32> attentionLayer(int layer) {
    return attentionGate;
  }

  @Override
  public Operand<TFloat32> feedForwardLayer(int layer) {
    return feedForwardGate;
  }
}
