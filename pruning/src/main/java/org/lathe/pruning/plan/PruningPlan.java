package org.lathe.pruning.plan;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import com.google.common.primitives.Ints;
import java.util.List;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.FailedException;
import org.lathe.pruning.budget.ParameterCount;
import org.lathe.pruning.gates.GateValues;

/**
 * What is kept of a model and what is folded into it: all that slimming needs besides the weights.
 * Made by {@link #from}; the constructor checks that the parts agree.
 *
 * @param config the model before pruning
 * @param keptHidden indices of hidden dimensions, increasing
 * @param layers what is kept of each layer, bottom first
 * @param gates the values that are folded; the gated model with these values computes what the slim
 *     model computes
 * @param fullParameters M, see {@link ParameterCount}
 * @param keptParameters N
 * @param sparsity 1 - N / M
 */
public record PruningPlan(
    TransformerConfig config,
    List<Integer> keptHidden,
    List<LayerPlan> layers,
    GateValues gates,
    long fullParameters,
    long keptParameters,
    double sparsity) {

  public PruningPlan {
    keptHidden = ImmutableList.copyOf(keptHidden);
    layers = ImmutableList.copyOf(layers);
    checkGateSizes(config, gates);
    Preconditions.checkArgument(gates.equals(gates.closed()), "gates of empty sublayers are open");
    Preconditions.checkArgument(!keptHidden.isEmpty(), "keptHidden is empty");
    checkKept("keptHidden", keptHidden, gates.hidden());
    Preconditions.checkArgument(
        layers.size() == config.numLayers(),
        "the plan has %s layers, its model %s",
        layers.size(),
        config.numLayers());
    for (int layer = 0; layer < layers.size(); layer++) {
      boolean attention = gates.attentionLayer()[layer] > 0;
      boolean feedForward = gates.feedForwardLayer()[layer] > 0;
      checkKept(
          "keptHeads of layer " + layer,
          layers.get(layer).keptHeads(),
          attention ? gates.heads()[layer] : new float[0]);
      checkKept(
          "keptIntermediate of layer " + layer,
          layers.get(layer).keptIntermediate(),
          feedForward ? gates.intermediate()[layer] : new float[0]);
    }
    long full = ParameterCount.count(config);
    long kept = ParameterCount.count(slimConfig(config, keptHidden, layers));
    Preconditions.checkArgument(
        fullParameters == full && keptParameters == kept,
        "the plan says %s of %s parameters are kept, its lists %s of %s",
        keptParameters,
        fullParameters,
        kept,
        full);
    Preconditions.checkArgument(
        sparsity == sparsity(full, kept), "sparsity %s does not fit the counts", sparsity);
  }

  /**
   * Keeps what these gates leave open; the closing rules of {@link GateValues#closed} apply.
   * Rounding to convenient sizes is done where the gates are chosen: {@link
   * GateValues#deterministic(org.lathe.pruning.gates.GateLogits, int)}.
   *
   * @param config of the model before pruning; its blocks may differ
   * @throws FailedException when no hidden dimension is left
   */
  public static PruningPlan from(TransformerConfig config, GateValues gates) {
    GateValues closed = gates.closed();
    List<Integer> keptHidden = open(closed.hidden());
    if (keptHidden.isEmpty()) {
      throw new FailedException(
          "the gates leave none of the "
              + config.hiddenSize()
              + " hidden dimensions, so no model is left. Choose a smaller target, or prune without"
              + " hidden gates.");
    }
    ImmutableList.Builder<LayerPlan> layers = ImmutableList.builder();
    for (int layer = 0; layer < closed.numLayers(); layer++) {
      boolean attention = closed.attentionLayer()[layer] > 0;
      boolean feedForward = closed.feedForwardLayer()[layer] > 0;
      layers.add(
          new LayerPlan(
              attention ? open(closed.heads()[layer]) : List.of(),
              feedForward ? open(closed.intermediate()[layer]) : List.of()));
    }
    List<LayerPlan> layerPlans = layers.build();
    long full = ParameterCount.count(config);
    long kept = ParameterCount.count(slimConfig(config, keptHidden, layerPlans));
    return new PruningPlan(
        config, keptHidden, layerPlans, closed, full, kept, sparsity(full, kept));
  }

  /** The configuration of the slim model: what the plan keeps, everything else as before. */
  public TransformerConfig slimConfig() {
    return slimConfig(config, keptHidden, layers);
  }

  private static TransformerConfig slimConfig(
      TransformerConfig config, List<Integer> keptHidden, List<LayerPlan> layers) {
    List<BlockShape> blocks =
        layers.stream().map(LayerPlan::shape).collect(ImmutableList.toImmutableList());
    return config.withBlocks(keptHidden.size(), blocks);
  }

  private static double sparsity(long full, long kept) {
    return 1 - (double) kept / full;
  }

  private static List<Integer> open(float[] values) {
    return Ints.asList(GateValues.openIndices(values));
  }

  private static void checkGateSizes(TransformerConfig config, GateValues gates) {
    Preconditions.checkArgument(
        gates.hidden().length == config.hiddenSize() && gates.numLayers() == config.numLayers(),
        "gates of %s layers and %s hidden dimensions, the model has %s and %s",
        gates.numLayers(),
        gates.hidden().length,
        config.numLayers(),
        config.hiddenSize());
    for (int layer = 0; layer < config.numLayers(); layer++) {
      BlockShape block = config.blocks().get(layer);
      Preconditions.checkArgument(
          gates.heads()[layer].length == block.numHeads()
              && gates.intermediate()[layer].length == block.intermediateSize(),
          "layer %s has %s head gates and %s intermediate gates, its shape is %s",
          layer,
          gates.heads()[layer].length,
          gates.intermediate()[layer].length,
          block);
    }
  }

  private static void checkKept(String what, List<Integer> kept, float[] gates) {
    Preconditions.checkArgument(
        kept.equals(open(gates)),
        "%s must be the indices of the open gates, increasing and below %s; found %s indices",
        what,
        gates.length,
        kept.size());
  }
}
