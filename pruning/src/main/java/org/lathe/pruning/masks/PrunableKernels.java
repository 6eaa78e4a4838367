package org.lathe.pruning.masks;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;

/**
 * The kernels that masks may thin: query, key, value and output of attention, up and down of the
 * feed-forward layers. Biases, norms, embeddings, pooler and head are left alone.
 *
 * @param config of the model
 * @param prefix of its variables
 */
public record PrunableKernels(TransformerConfig config, String prefix) {
  /** Words of {@link #attention}. */
  static final List<String> ATTENTION = ImmutableList.of("query", "key", "value", "output");

  /** {@code prefix/layer_i/attention/query/kernel} and so on, bottom first. */
  public List<String> names() {
    ImmutableList.Builder<String> names = ImmutableList.builder();
    for (int layer = 0; layer < config.numLayers(); layer++) {
      BlockShape block = config.blocks().get(layer);
      if (block.attentionPresent()) {
        for (String word : ATTENTION) {
          names.add(attention(layer, word));
        }
      }
      if (block.feedForwardPresent()) {
        names.add(feedForward(layer, "up"), feedForward(layer, "down"));
      }
    }
    return names.build();
  }

  /** The share of zeros among the values of these kernels. */
  public double zeroShare(Weights weights) {
    long zeros = 0;
    long all = 0;
    for (String name : names()) {
      for (float value : weights.get(name).values()) {
        zeros += value == 0 ? 1 : 0;
        all++;
      }
    }
    return (double) zeros / all;
  }

  String attention(int layer, String word) {
    return prefix + "/layer_" + layer + "/attention/" + word + "/kernel";
  }

  String feedForward(int layer, String word) {
    return prefix + "/layer_" + layer + "/feed_forward/" + word + "/kernel";
  }
}
