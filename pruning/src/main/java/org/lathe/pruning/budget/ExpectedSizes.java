package org.lathe.pruning.budget;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateLogits;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.gates.HardConcrete;

/**
 * How much of a model is left, expected or exactly; {@link ExpectedSizeOps} is the same in a graph.
 *
 * @param hidden dimensions left, of D
 * @param heads heads left, by layer
 * @param units feed-forward units left, by layer
 * @param attentionLayer probability that the attention sublayer is left, by layer
 * @param feedForwardLayer probability that the feed-forward sublayer is left, by layer
 */
public record ExpectedSizes(
    double hidden,
    double[] heads,
    double[] units,
    double[] attentionLayer,
    double[] feedForwardLayer) {

  /** Sums of P(z > 0). */
  public static ExpectedSizes of(GateLogits logits) {
    TransformerConfig config = logits.config();
    BlockShape block = GateKind.requireUniform(config);
    int numLayers = config.numLayers();
    return new ExpectedSizes(
        sums(logits.of(GateKind.HIDDEN), 1, config.hiddenSize())[0],
        sums(logits.of(GateKind.HEADS), numLayers, block.numHeads()),
        sums(logits.of(GateKind.INTERMEDIATE), numLayers, block.intermediateSize()),
        sums(logits.of(GateKind.ATTENTION_LAYER), numLayers, 1),
        sums(logits.of(GateKind.FEED_FORWARD_LAYER), numLayers, 1));
  }

  /** Whole numbers: what a slim model by these gates has. */
  public static ExpectedSizes of(GateValues gates) {
    GateValues closed = gates.closed();
    int numLayers = closed.numLayers();
    double[] heads = new double[numLayers];
    double[] units = new double[numLayers];
    double[] attention = new double[numLayers];
    double[] feedForward = new double[numLayers];
    for (int layer = 0; layer < numLayers; layer++) {
      heads[layer] = GateValues.numOpen(closed.heads()[layer]);
      units[layer] = GateValues.numOpen(closed.intermediate()[layer]);
      attention[layer] = closed.attentionLayer()[layer] > 0 ? 1 : 0;
      feedForward[layer] = closed.feedForwardLayer()[layer] > 0 ? 1 : 0;
    }
    return new ExpectedSizes(
        GateValues.numOpen(closed.hidden()), heads, units, attention, feedForward);
  }

  private static double[] sums(float @Nullable [] logits, int numGroups, int groupSize) {
    double[] sums = new double[numGroups];
    if (logits == null) {
      Arrays.fill(sums, groupSize);
      return sums;
    }
    for (int i = 0; i < logits.length; i++) {
      sums[i / groupSize] += HardConcrete.openProbability(logits[i]);
    }
    return sums;
  }
}
