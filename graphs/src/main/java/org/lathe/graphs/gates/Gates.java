package org.lathe.graphs.gates;

import org.jspecify.annotations.Nullable;
import org.tensorflow.Operand;
import org.tensorflow.types.TFloat32;

/**
 * The places where a pruning gate multiplies (CoFi section 3: z_hidn, z_head, z_int, z_MHA, z_FFN).
 * A model asks at each place; null means that nothing is multiplied and no op is added. Values lie
 * in [0, 1]; a sublayer whose layer gate is 0 is an identity, and in a post-norm block its
 * LayerNorm is skipped as well.
 */
public interface Gates {

  /** [D], shared by all layers: multiplies embeddings, sublayer outputs and LayerNorm outputs. */
  default @Nullable Operand<TFloat32> hidden() {
    return null;
  }

  /** [N], or (B, N) for values of each example's own: multiplies the context of each head. */
  default @Nullable Operand<TFloat32> heads(int layer) {
    return null;
  }

  /**
   * [F], or (B*T, F) for values of each position's own: multiplies the activation of each
   * feed-forward unit.
   */
  default @Nullable Operand<TFloat32> intermediate(int layer) {
    return null;
  }

  /** Scalar: multiplies the output of the attention sublayer, bias included. */
  default @Nullable Operand<TFloat32> attentionLayer(int layer) {
    return null;
  }

  /** Scalar: multiplies the output of the feed-forward sublayer, bias included. */
  default @Nullable Operand<TFloat32> feedForwardLayer(int layer) {
    return null;
  }

  /** All gates open. */
  Gates NONE = new Gates() {};
}
