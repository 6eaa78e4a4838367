package org.lathe.pruning.plan;

import com.google.common.base.Preconditions;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.pruning.budget.ExpectedSizes;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateValues;

/**
 * The small shape of a student whose layers are all alike, as TinyBERT's are: some layers of the
 * full model, evenly spaced and the last among them (student layer m = 1 .. L' is layer m L / L' of
 * L), each with its first heads and units. Nothing is learned or looked at.
 *
 * @param full layers alike
 * @param numLayers L', at least 1
 * @param numHeads in each of these, at least 1
 * @param numUnits in each of these, at least 1
 */
public record UniformShape(TransformerConfig full, int numLayers, int numHeads, int numUnits) {
  public UniformShape {
    BlockShape block = GateKind.requireUniform(full);
    Preconditions.checkArgument(
        numLayers >= 1
            && numLayers <= full.numLayers()
            && numHeads >= 1
            && numHeads <= block.numHeads()
            && numUnits >= 1
            && numUnits <= block.intermediateSize(),
        "%s layers of %s heads and %s units are no part of %s layers of %s",
        numLayers,
        numHeads,
        numUnits,
        full.numLayers(),
        block);
  }

  /**
   * The widest shape that reaches the target. Heads and units shrink by the same factor, heads
   * rounded to the nearest number above 0; then units take what the rounding left.
   *
   * @param numLayers L', or 0 = half of them, rounded up; more where half of them at full width are
   *     already less than the target leaves, fewer where no width reaches it
   * @param roundTo units are a multiple of this, unless all are kept
   * @throws ConfigException when the model has fewer layers, or layers that differ
   * @throws FailedException when no such shape reaches the target
   */
  public static UniformShape meeting(
      PruningTarget target, TransformerConfig full, int numLayers, int roundTo) {
    if (numLayers > full.numLayers()) {
      throw new ConfigException(
          "pruning.studentLayers is "
              + numLayers
              + ", but the teacher has "
              + full.numLayers()
              + " layers; expected at most as many, or 0 for about half");
    }
    int most = numLayers;
    if (numLayers == 0) {
      most = (full.numLayers() + 1) / 2;
      while (most < full.numLayers() && widthOf(full, most).achieved(target) > target.reduction()) {
        most++;
      }
    }
    int least = numLayers == 0 ? 1 : numLayers;
    for (int layers = most; layers >= least; layers--) {
      UniformShape alike = widest(target, full, layers, roundTo, evenHeads(full));
      if (alike != null) {
        UniformShape wider = widest(target, full, layers, roundTo, units -> alike.numHeads);
        return wider == null ? alike : wider;
      }
    }
    throw new FailedException(
        "no student of "
            + least
            + " layers with a head and "
            + roundTo
            + " intermediate units each reaches the pruning target, a reduction of "
            + target.reduction()
            + ". Lower pruning.target, pruning.studentLayers or pruning.roundTo.");
  }

  /** Heads in proportion to units. */
  private static IntUnaryOperator evenHeads(TransformerConfig full) {
    BlockShape block = GateKind.requireUniform(full);
    return units ->
        (int) Math.max(1, Math.round((double) block.numHeads() * units / block.intermediateSize()));
  }

  private static @Nullable UniformShape widest(
      PruningTarget target,
      TransformerConfig full,
      int layers,
      int roundTo,
      IntUnaryOperator headsByUnits) {
    int units = GateKind.requireUniform(full).intermediateSize();
    while (units > 0) {
      UniformShape shape = new UniformShape(full, layers, headsByUnits.applyAsInt(units), units);
      if (shape.achieved(target) >= target.reduction()) {
        return shape;
      }
      units = (units - 1) / roundTo * roundTo;
    }
    return null;
  }

  private static UniformShape widthOf(TransformerConfig full, int layers) {
    BlockShape block = GateKind.requireUniform(full);
    return new UniformShape(full, layers, block.numHeads(), block.intermediateSize());
  }

  private double achieved(PruningTarget target) {
    float[] kept = keptLayers();
    double[] present = new double[kept.length];
    double[] heads = new double[kept.length];
    double[] units = new double[kept.length];
    for (int layer = 0; layer < kept.length; layer++) {
      present[layer] = kept[layer];
      heads[layer] = kept[layer] * numHeads;
      units[layer] = kept[layer] * numUnits;
    }
    return target.achieved(
        full, new ExpectedSizes(full.hiddenSize(), heads, units, present, present));
  }

  /** 1 for what is kept, 0 for the rest. */
  public GateValues gates() {
    GateValues gates = GateValues.allOpen(full);
    float[] kept = keptLayers();
    for (int layer = 0; layer < kept.length; layer++) {
      closeFrom(gates.heads()[layer], kept[layer] > 0 ? numHeads : 0);
      closeFrom(gates.intermediate()[layer], kept[layer] > 0 ? numUnits : 0);
    }
    return gates.closed();
  }

  private float[] keptLayers() {
    float[] kept = new float[full.numLayers()];
    for (int m = 1; m <= numLayers; m++) {
      kept[m * full.numLayers() / numLayers - 1] = 1;
    }
    return kept;
  }

  private static void closeFrom(float[] gates, int from) {
    Arrays.fill(gates, from, gates.length, 0);
  }
}
