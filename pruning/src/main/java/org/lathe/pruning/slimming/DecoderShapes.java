package org.lathe.pruning.slimming;

import java.util.Map;
import org.lathe.graphs.config.TransformerConfig;
import org.tensorflow.ndarray.Shape;

/** Names and shapes of the weights of a decoder language model, as its builder declares them. */
public final class DecoderShapes {
  private DecoderShapes() {}

  /**
   * @param prefix of all names, {@code decoder} for a model of ours
   */
  public static Map<String, Shape> of(TransformerConfig config, String prefix) {
    int hidden = config.hiddenSize();
    WeightShapes shapes =
        new WeightShapes()
            .put(prefix + "/embedding/tokens", config.vocabularySize(), hidden)
            .put(prefix + "/embedding/positions", config.maxPositions(), hidden)
            .blocks(config, prefix);
    if (config.finalNorm()) {
      shapes.norm(prefix + "/final_norm", hidden);
    }
    if (!config.tiedOutput()) {
      shapes.put(prefix + "/output/kernel", config.vocabularySize(), hidden);
    }
    if (config.keySize() != null) {
      shapes.put(prefix + "/memory/projection/kernel", hidden, config.keySize());
      shapes.norm(prefix + "/memory/norm", config.keySize());
    }
    return shapes.all();
  }
}
