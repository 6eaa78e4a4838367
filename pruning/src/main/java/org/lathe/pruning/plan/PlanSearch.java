package org.lathe.pruning.plan;

import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.FailedException;
import org.lathe.pruning.budget.ExpectedSizes;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateLogits;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.gates.HardConcrete;

/**
 * Turns learned gates into a structure that meets the target. Sampled gates meet it in expectation
 * only; rounding to whole units can miss it on either side. All logits are shifted by one common
 * amount, the smallest for which the rounded structure reaches the target: the gates' order decides
 * what goes, the target decides how much.
 */
public final class PlanSearch {
  /** Shifted by this, a gate at 0 is closed or open beyond doubt. */
  private static final double CLEAR = 9;

  /** Halvings of the interval of shifts; 2^-20 of it is far below a logit's noise. */
  private static final int NUM_HALVINGS = 24;

  private PlanSearch() {}

  /**
   * The least pruned deterministic gates that reach the target.
   *
   * @param roundTo kept hidden dimensions and intermediate units are a multiple of this
   * @throws FailedException when even the smallest structure does not reach it
   */
  public static GateValues meeting(PruningTarget target, GateLogits logits, int roundTo) {
    double maxShift = CLEAR + Math.max(HardConcrete.LOG_ALPHA_LIMIT, largest(logits));
    double high = maxShift;
    GateValues best = at(logits, high, roundTo);
    if (!meets(target, logits.config(), best)) {
      throw new FailedException(
          "no structure reaches the pruning target: asked for a reduction of "
              + target.reduction()
              + ", the smallest structure gives "
              + target.achieved(logits.config(), ExpectedSizes.of(best))
              + ". Lower pruning.target or add kinds to pruning.gates.");
    }
    double low = -maxShift;
    for (int i = 0; i < NUM_HALVINGS; i++) {
      double middle = (low + high) / 2;
      GateValues candidate = at(logits, middle, roundTo);
      if (meets(target, logits.config(), candidate)) {
        high = middle;
        best = candidate;
      } else {
        low = middle;
      }
    }
    return best;
  }

  private static double largest(GateLogits logits) {
    double largest = 0;
    for (GateKind kind : GateKind.values()) {
      float[] values = logits.of(kind);
      for (int i = 0; values != null && i < values.length; i++) {
        largest = Math.max(largest, Math.abs(values[i]));
      }
    }
    return largest;
  }

  private static boolean meets(PruningTarget target, TransformerConfig full, GateValues gates) {
    return target.isReached(full, ExpectedSizes.of(gates));
  }

  /**
   * Which gates are open is decided on the shifted logits; an open gate keeps its learned value, or
   * the shifted one where the shift reopened it.
   */
  private static GateValues at(GateLogits logits, double shift, int roundTo) {
    Map<GateKind, float[]> shifted = new EnumMap<>(GateKind.class);
    for (GateKind kind : GateKind.values()) {
      float[] values = logits.of(kind);
      if (values != null) {
        float[] moved = values.clone();
        for (int i = 0; i < moved.length; i++) {
          moved[i] -= (float) shift;
        }
        shifted.put(kind, moved);
      }
    }
    GateValues open = GateValues.deterministic(new GateLogits(logits.config(), shifted), roundTo);
    double raise = Math.max(0, -shift);
    restore(logits.of(GateKind.HIDDEN), raise, open.hidden());
    restore(logits.of(GateKind.HEADS), raise, open.heads());
    restore(logits.of(GateKind.INTERMEDIATE), raise, open.intermediate());
    restore(logits.of(GateKind.ATTENTION_LAYER), raise, open.attentionLayer());
    restore(logits.of(GateKind.FEED_FORWARD_LAYER), raise, open.feedForwardLayer());
    return open;
  }

  private static void restore(float @Nullable [] logits, double raise, float[]... rows) {
    if (logits == null) {
      return;
    }
    int next = 0;
    for (float[] row : rows) {
      for (int i = 0; i < row.length; i++, next++) {
        if (row[i] != 0) {
          row[i] = (float) HardConcrete.deterministicValue(logits[next] + raise);
        }
      }
    }
  }
}
