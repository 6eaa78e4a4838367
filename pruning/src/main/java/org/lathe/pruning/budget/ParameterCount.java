package org.lathe.pruning.budget;

import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * The prunable parameters: kernels and biases of attention and feed-forward sublayers, without
 * norms, embeddings, output projection and learned memory keys. With hidden size d, n heads of size
 * H and f units:
 *
 * <pre>
 * attention(d, n)    = n (4 H d + 3 H) + d      query, key, value, output; their biases
 * feedForward(d, f)  = f (2 d + 1) + d          up, down; their biases
 * N                  = sum of both over the sublayers that are present
 * expected N         = sum_l p_attention,l attention(E d, E n_l) + p_feedForward,l feedForward(E d, E f_l)
 * sparsity           = 1 - N / M,  M = N of the full model
 * </pre>
 *
 * <p>One formula for the constraint (ops), the plan and the exporter (whole numbers). It differs
 * from CoFi's code in that biases are counted exactly: there every bias scales with all gates above
 * it (and feed-forward biases are not counted in N at all), which is up to 0.001 in sparsity.
 *
 * <p>Of BERT-base M is 85,017,600. CoFi's tables give sizes with the norms of the blocks,
 * 85,054,464; embeddings, pooler and heads are in neither.
 */
public final class ParameterCount {
  private ParameterCount() {}

  /** N of a model, full or slim: exactly the values its prunable variables hold. */
  public static long count(TransformerConfig config) {
    long hidden = config.hiddenSize();
    long headSize = config.headSize();
    long count = 0;
    for (BlockShape block : config.blocks()) {
      if (block.attentionPresent()) {
        count += block.numHeads() * (4 * headSize * hidden + 3 * headSize) + hidden;
      }
      if (block.feedForwardPresent()) {
        count += block.intermediateSize() * (2 * hidden + 1) + hidden;
      }
    }
    return count;
  }

  /** 1 - N / M of a slim model. */
  public static double sparsity(TransformerConfig full, TransformerConfig slim) {
    return 1 - (double) count(slim) / count(full);
  }

  /**
   * 1 - N / M at expected or exact sizes.
   *
   * @param full the model before pruning
   */
  public static double sparsity(TransformerConfig full, ExpectedSizes sizes) {
    double hidden = sizes.hidden();
    double headSize = full.headSize();
    double count = 0;
    for (int layer = 0; layer < full.numLayers(); layer++) {
      double attention = sizes.heads()[layer] * (4 * headSize * hidden + 3 * headSize) + hidden;
      double feedForward = sizes.units()[layer] * (2 * hidden + 1) + hidden;
      count += sizes.attentionLayer()[layer] * attention;
      count += sizes.feedForwardLayer()[layer] * feedForward;
    }
    return 1 - count / count(full);
  }

  /** 1 - N / M at expected sizes, a scalar that is differentiable in the gate logits. */
  public static Operand<TFloat32> sparsity(Ops tf, TransformerConfig full, ExpectedSizeOps sizes) {
    float headSize = full.headSize();
    Operand<TFloat32> hidden = sizes.hidden();
    Operand<TFloat32> perHead =
        tf.math.add(tf.math.mul(hidden, tf.constant(4 * headSize)), tf.constant(3 * headSize));
    Operand<TFloat32> perUnit = tf.math.add(tf.math.mul(hidden, tf.constant(2f)), tf.constant(1f));
    Operand<TFloat32> attentionL = tf.math.add(tf.math.mul(sizes.heads(), perHead), hidden);
    Operand<TFloat32> feedForwardL = tf.math.add(tf.math.mul(sizes.units(), perUnit), hidden);
    Operand<TFloat32> countL =
        tf.math.add(
            tf.math.mul(attentionL, sizes.attentionLayer()),
            tf.math.mul(feedForwardL, sizes.feedForwardLayer()));
    Operand<TFloat32> count = tf.reduceSum(countL, tf.constant(0));
    return tf.math.sub(
        tf.constant(1f), tf.math.mul(count, tf.constant((float) (1.0 / count(full)))));
  }
}
