package org.lathe.pruning.slimming;

import java.util.LinkedHashMap;
import java.util.Map;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.NormPlacement;
import org.lathe.graphs.config.TransformerConfig;
import org.tensorflow.ndarray.Shape;

/** Names and shapes of the weights of a decoder language model, as its builder declares them. */
public final class DecoderShapes {
  private DecoderShapes() {}

  /**
   * @param prefix of all names, {@code decoder} for a model of ours
   */
  public static Map<String, Shape> of(TransformerConfig config, String prefix) {
    Map<String, Shape> shapes = new LinkedHashMap<>();
    int hidden = config.hiddenSize();
    shapes.put(prefix + "/embedding/tokens", Shape.of(config.vocabularySize(), hidden));
    shapes.put(prefix + "/embedding/positions", Shape.of(config.maxPositions(), hidden));
    for (int layer = 0; layer < config.numLayers(); layer++) {
      BlockShape block = config.blocks().get(layer);
      String name = prefix + "/layer_" + layer;
      if (block.attentionPresent()) {
        int context = block.numHeads() * config.headSize();
        linear(shapes, name + "/attention/query", hidden, context);
        linear(shapes, name + "/attention/key", hidden, context);
        linear(shapes, name + "/attention/value", hidden, context);
        linear(shapes, name + "/attention/output", context, hidden);
        norm(shapes, name + "/attention_norm", hidden);
      }
      if (block.feedForwardPresent()) {
        linear(shapes, name + "/feed_forward/up", hidden, block.intermediateSize());
        linear(shapes, name + "/feed_forward/down", block.intermediateSize(), hidden);
      }
      boolean keepsTap =
          layer == config.numLayers() - 1 && config.normPlacement() == NormPlacement.PRE;
      if (block.feedForwardPresent() || keepsTap) {
        norm(shapes, name + "/feed_forward_norm", hidden);
      }
    }
    if (config.finalNorm()) {
      norm(shapes, prefix + "/final_norm", hidden);
    }
    if (!config.tiedOutput()) {
      shapes.put(prefix + "/output/kernel", Shape.of(config.vocabularySize(), hidden));
    }
    if (config.keySize() != null) {
      shapes.put(prefix + "/memory/projection/kernel", Shape.of(hidden, config.keySize()));
      norm(shapes, prefix + "/memory/norm", config.keySize());
    }
    return shapes;
  }

  private static void linear(Map<String, Shape> shapes, String name, int input, int output) {
    shapes.put(name + "/kernel", Shape.of(input, output));
    shapes.put(name + "/bias", Shape.of(output));
  }

  private static void norm(Map<String, Shape> shapes, String name, int size) {
    shapes.put(name + "/gain", Shape.of(size));
    shapes.put(name + "/bias", Shape.of(size));
  }
}
