package org.lathe.training.pretrained;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.weights.Weights;
import org.tensorflow.ndarray.Shape;

/**
 * A pruned encoder as one whose layers are alike, for formats that know no other. It answers the
 * same: layers with nothing left go, heads and units that others lack stand there as zeros. A head
 * of zeros adds nothing, since its values are 0; nor does a unit, since every activation of Lathe
 * maps 0 to 0.
 */
final class UniformLayers {
  private static final Pattern LAYER =
      Pattern.compile("(" + Encoder.PREFIX + "/layer_)(\\d+)(/.*)");

  private UniformLayers() {}

  /**
   * As many heads as fill the hidden size, as many units as the widest layer has; unchanged where
   * that is so already.
   *
   * @throws org.lathe.graphs.errors.FailedException when a layer has one of its sublayers only,
   *     whose LayerNorm went with it, when heads cannot fill the hidden size or are more than that,
   *     or when nothing is left
   */
  static PretrainedEncoder of(PretrainedEncoder encoder) {
    EncoderConfig config = encoder.config();
    TransformerConfig transformer = config.transformer();
    int hiddenSize = transformer.hiddenSize();
    int headSize = transformer.headSize();
    List<Integer> kept = keptLayers(transformer);
    if (hiddenSize % headSize != 0) {
      throw HfConfig.refused("heads of " + headSize + " do not fill its hidden size " + hiddenSize);
    }
    int numHeads = hiddenSize / headSize;
    int mostHeads = transformer.blocks().stream().mapToInt(BlockShape::numHeads).max().orElse(0);
    if (mostHeads > numHeads) {
      throw HfConfig.refused(
          "one layer has %d heads of %d, more than fill its hidden size %d"
              .formatted(mostHeads, headSize, hiddenSize));
    }
    BlockShape shape =
        new BlockShape(
            numHeads,
            transformer.blocks().stream().mapToInt(BlockShape::intermediateSize).max().orElse(0));
    List<BlockShape> blocks = Collections.nCopies(kept.size(), shape);
    if (transformer.blocks().equals(blocks)) {
      return encoder;
    }
    EncoderConfig uniform = config.withTransformer(transformer.withBlocks(hiddenSize, blocks));
    Weights weights = new Weights();
    for (NameMap.Place place : new NameMap(NamingStyle.BERT, "").encoder(uniform)) {
      Weights.Array own = encoder.weights().get(before(place.lathe(), kept));
      weights.put(place.lathe(), place.shape(), padded(own, place.shape()));
    }
    return new PretrainedEncoder(
        uniform, weights, encoder.maskedLm(), encoder.tokenizerJson(), encoder.notes());
  }

  private static List<Integer> keptLayers(TransformerConfig transformer) {
    List<Integer> kept = new ArrayList<>();
    for (int layer = 0; layer < transformer.numLayers(); layer++) {
      BlockShape shape = transformer.blocks().get(layer);
      if (shape.attentionPresent() != shape.feedForwardPresent()) {
        throw HfConfig.refused(
            "its layer "
                + layer
                + " has no "
                + (shape.attentionPresent() ? "feed-forward" : "attention")
                + " sublayer");
      }
      if (shape.attentionPresent()) {
        kept.add(layer);
      }
    }
    if (kept.isEmpty()) {
      throw HfConfig.refused("it has no layers left");
    }
    return kept;
  }

  /** The name of an array while layers that go were counted. */
  private static String before(String name, List<Integer> kept) {
    Matcher layer = LAYER.matcher(name);
    return layer.matches()
        ? layer.group(1) + kept.get(Integer.parseInt(layer.group(2))) + layer.group(3)
        : name;
  }

  /** Zeros behind the rows, and behind each row. */
  private static float[] padded(Weights.Array array, Shape full) {
    int dimensions = full.numDimensions();
    int width = (int) array.shape().get(dimensions - 1);
    int fullWidth = (int) full.get(dimensions - 1);
    float[] values = new float[Math.toIntExact(full.size())];
    for (int row = 0; row < array.values().length / width; row++) {
      System.arraycopy(array.values(), row * width, values, row * fullWidth, width);
    }
    return values;
  }
}
