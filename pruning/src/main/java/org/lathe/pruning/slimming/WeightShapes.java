package org.lathe.pruning.slimming;

import java.util.LinkedHashMap;
import java.util.Map;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.NormPlacement;
import org.lathe.graphs.config.TransformerConfig;
import org.tensorflow.ndarray.Shape;

/** Names and shapes of a model's weights, collected part by part. */
final class WeightShapes {
  private final Map<String, Shape> shapes = new LinkedHashMap<>();

  Map<String, Shape> all() {
    return shapes;
  }

  WeightShapes put(String name, long... dimensions) {
    shapes.put(name, Shape.of(dimensions));
    return this;
  }

  WeightShapes linear(String name, int input, int output) {
    return put(name + "/kernel", input, output).put(name + "/bias", output);
  }

  WeightShapes norm(String name, int size) {
    return put(name + "/gain", size).put(name + "/bias", size);
  }

  /** {@code prefix/layer_i/...} of a decoder or an encoder. */
  WeightShapes blocks(TransformerConfig config, String prefix) {
    int hidden = config.hiddenSize();
    for (int layer = 0; layer < config.numLayers(); layer++) {
      BlockShape block = config.blocks().get(layer);
      String name = prefix + "/layer_" + layer;
      if (block.attentionPresent()) {
        int context = block.numHeads() * config.headSize();
        linear(name + "/attention/query", hidden, context);
        linear(name + "/attention/key", hidden, context);
        linear(name + "/attention/value", hidden, context);
        linear(name + "/attention/output", context, hidden);
        norm(name + "/attention_norm", hidden);
      }
      if (block.feedForwardPresent()) {
        linear(name + "/feed_forward/up", hidden, block.intermediateSize());
        linear(name + "/feed_forward/down", block.intermediateSize(), hidden);
      }
      if (block.feedForwardPresent() || keepsTap(config, layer)) {
        norm(name + "/feed_forward_norm", hidden);
      }
    }
    return this;
  }

  /** The last layer of a pre-norm model keeps its feed-forward norm in any case. */
  static boolean keepsTap(TransformerConfig config, int layer) {
    return layer == config.numLayers() - 1 && config.normPlacement() == NormPlacement.PRE;
  }
}
