package org.lathe.pruning.budget;

import org.lathe.graphs.config.TransformerConfig;

/**
 * Measures sublayers on the machine that will serve. All times are medians in milliseconds for one
 * batch of the sizes asked for, residual and LayerNorm included.
 */
public interface SublayerTimer {

  /** One attention sublayer of this many heads at full hidden size. */
  double attentionMs(TransformerConfig config, int batchSize, int length, int numHeads);

  /** One feed-forward sublayer of this width at full hidden size. */
  double feedForwardMs(TransformerConfig config, int batchSize, int length, int width);

  /** Everything that pruning leaves: embeddings, final norm, output projection. */
  double otherMs(TransformerConfig config, int batchSize, int length);

  /** One served call of the whole model, what the caller pays included. */
  double wholeModelMs(TransformerConfig config, int batchSize, int length);
}
