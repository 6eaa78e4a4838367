package org.lathe.training.pretrained;

import com.google.common.math.IntMath;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Predicate;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.FailedException;
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
  private static final List<String> ATTENTION_INPUTS = List.of("query", "key", "value");

  private UniformLayers() {}

  /**
   * As many heads as fill the hidden size, as many units as the widest layer has; unchanged where
   * that is so already.
   *
   * @throws FailedException when a layer has one of its sublayers only, whose LayerNorm went with
   *     it, when heads cannot fill the hidden size, or when nothing is left
   */
  static PretrainedEncoder of(PretrainedEncoder encoder) {
    EncoderConfig config = encoder.config();
    TransformerConfig transformer = config.transformer();
    int hiddenSize = transformer.hiddenSize();
    int headSize = transformer.headSize();
    List<Integer> kept = keptLayers(transformer);
    if (hiddenSize % headSize != 0) {
      throw refused("heads of " + headSize + " do not fill its hidden size " + hiddenSize);
    }
    BlockShape shape =
        new BlockShape(
            IntMath.divide(hiddenSize, headSize, RoundingMode.UNNECESSARY),
            transformer.blocks().stream().mapToInt(BlockShape::intermediateSize).max().orElse(0));
    List<BlockShape> blocks = Collections.nCopies(kept.size(), shape);
    if (transformer.blocks().equals(blocks)) {
      return encoder;
    }
    Weights weights = new Weights();
    for (String name : encoder.weights().names()) {
      if (!name.startsWith(Encoder.PREFIX + "/layer_")) {
        weights.put(
            name, encoder.weights().get(name).shape(), encoder.weights().get(name).values());
      }
    }
    for (int layer = 0; layer < kept.size(); layer++) {
      String from = Encoder.PREFIX + "/layer_" + kept.get(layer) + "/";
      String to = Encoder.PREFIX + "/layer_" + layer + "/";
      Weights own = encoder.weights().startingWith(from);
      for (String name : own.names()) {
        Shape full = full(name.substring(from.length()), own.get(name).shape(), shape, headSize);
        weights.put(to + name.substring(from.length()), full, padded(own.get(name), full));
      }
    }
    return new PretrainedEncoder(
        config.withTransformer(transformer.withBlocks(hiddenSize, blocks)),
        weights,
        encoder.maskedLm(),
        encoder.tokenizerJson(),
        encoder.notes());
  }

  private static List<Integer> keptLayers(TransformerConfig transformer) {
    List<Integer> kept = new ArrayList<>();
    Predicate<BlockShape> half = shape -> shape.attentionPresent() != shape.feedForwardPresent();
    for (int layer = 0; layer < transformer.numLayers(); layer++) {
      BlockShape shape = transformer.blocks().get(layer);
      if (half.test(shape)) {
        throw refused(
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
      throw refused("it has no layers left");
    }
    return kept;
  }

  /** The shape of a layer's array where its heads and units are those of this block. */
  private static Shape full(String name, Shape own, BlockShape block, int headSize) {
    long attention = (long) block.numHeads() * headSize;
    String part = name.substring(0, name.lastIndexOf('/'));
    boolean kernel = name.endsWith("/kernel");
    if (part.equals("feed_forward/up")) {
      return last(own, block.intermediateSize());
    }
    if (ATTENTION_INPUTS.stream().anyMatch(input -> part.equals("attention/" + input))) {
      return last(own, attention);
    }
    if (kernel && part.equals("feed_forward/down")) {
      return Shape.of(block.intermediateSize(), own.get(1));
    }
    if (kernel && part.equals("attention/output")) {
      return Shape.of(attention, own.get(1));
    }
    return own;
  }

  private static Shape last(Shape shape, long size) {
    return shape.numDimensions() == 1 ? Shape.of(size) : Shape.of(shape.get(0), size);
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

  static FailedException refused(String reason) {
    return new FailedException(
        "this encoder is no Hugging Face model: "
            + reason
            + "; a Hugging Face configuration has one shape for all layers, heads that fill the"
            + " hidden size and a pooler as wide. Export it as a SavedModel instead");
  }
}
