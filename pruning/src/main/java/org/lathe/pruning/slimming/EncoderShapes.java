package org.lathe.pruning.slimming;

import java.util.Map;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.tensorflow.ndarray.Shape;

/**
 * Names and shapes of the weights of an encoder and of its heads, as their builders declare them.
 */
public final class EncoderShapes {
  private EncoderShapes() {}

  /**
   * @param prefix of all names, {@code encoder} for a model of ours
   */
  public static Map<String, Shape> of(EncoderConfig config, String prefix) {
    TransformerConfig transformer = config.transformer();
    int hidden = transformer.hiddenSize();
    WeightShapes shapes =
        new WeightShapes()
            .put(prefix + "/embedding/tokens", transformer.vocabularySize(), hidden)
            .put(prefix + "/embedding/positions", transformer.maxPositions(), hidden);
    if (config.numTokenTypes() > 0) {
      shapes.put(prefix + "/embedding/token_types", config.numTokenTypes(), hidden);
    }
    shapes.norm(prefix + "/embedding/norm", hidden).blocks(transformer, prefix);
    if (config.hasPooler()) {
      shapes.linear(prefix + "/pooler", hidden, config.poolerSize());
    }
    return shapes.all();
  }

  /**
   * @param encoder that the head reads
   * @param prefix of all names, the kind's for a head of ours
   */
  public static Map<String, Shape> ofHead(EncoderConfig encoder, HeadConfig head, String prefix) {
    WeightShapes shapes = new WeightShapes();
    int hidden = encoder.transformer().hiddenSize();
    String output = prefix + "/output";
    switch (head.kind()) {
      case POOLED_CLASSIFIER -> shapes.linear(output, encoder.poolerSize(), head.numClasses());
      case TANH_CLASSIFIER, RELU_CLASSIFIER ->
          shapes
              .linear(prefix + "/dense", hidden, head.denseSize())
              .linear(output, head.denseSize(), head.numClasses());
      case SPAN -> shapes.linear(output, hidden, 2);
      case MASKED_LM ->
          shapes
              .linear(prefix + "/dense", hidden, hidden)
              .norm(prefix + "/norm", hidden)
              .put(prefix + "/bias", encoder.transformer().vocabularySize());
    }
    return shapes.all();
  }
}
