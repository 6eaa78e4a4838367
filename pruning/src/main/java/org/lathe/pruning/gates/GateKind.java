package org.lathe.pruning.gates;

import java.util.List;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.tensorflow.ndarray.Shape;

/** The five kinds of gates (CoFi section 3); their logits are one variable each. */
public enum GateKind {
  /** [D], shared by all layers. */
  HIDDEN("hidden", 1),
  /** [L, N]. */
  HEADS("heads", 2),
  /** [L, F]. */
  INTERMEDIATE("intermediate", 3),
  /** [L]. */
  ATTENTION_LAYER("attention_layer", 4),
  /** [L]. */
  FEED_FORWARD_LAYER("feed_forward_layer", 5);

  private final String word;
  private final int randomStream;

  GateKind(String word, int randomStream) {
    this.word = word;
    this.randomStream = randomStream;
  }

  /** Keeps the random numbers of the kinds apart; never changes, so that runs can be repeated. */
  int randomStream() {
    return randomStream;
  }

  /** Name of the variable that holds the logits, such as {@code gates/heads}. */
  public String variableName() {
    return "gates/" + word;
  }

  /**
   * Shape of the logits for this model.
   *
   * @throws ConfigException when the blocks differ or lack a sublayer
   */
  public Shape shape(TransformerConfig config) {
    BlockShape block = requireUniform(config);
    int numLayers = config.numLayers();
    return switch (this) {
      case HIDDEN -> Shape.of(config.hiddenSize());
      case HEADS -> Shape.of(numLayers, block.numHeads());
      case INTERMEDIATE -> Shape.of(numLayers, block.intermediateSize());
      case ATTENTION_LAYER, FEED_FORWARD_LAYER -> Shape.of(numLayers);
    };
  }

  /**
   * The shape that all blocks share.
   *
   * @throws ConfigException when the blocks differ or lack a sublayer
   */
  public static BlockShape requireUniform(TransformerConfig config) {
    List<BlockShape> blocks = config.blocks();
    BlockShape first = blocks.get(0);
    for (int layer = 0; layer < blocks.size(); layer++) {
      BlockShape block = blocks.get(layer);
      if (!block.equals(first) || !block.attentionPresent() || !block.feedForwardPresent()) {
        throw new ConfigException(
            "gates need a model whose layers all have the same heads and feed-forward width, but"
                + " layer "
                + layer
                + " is "
                + block
                + " and layer 0 is "
                + first
                + ". Prune a full model, not one that was slimmed before.");
      }
    }
    return first;
  }
}
