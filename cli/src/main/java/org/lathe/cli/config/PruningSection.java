package org.lathe.cli.config;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is removed, how much, and how the rest is trained.
 *
 * @param method how the units that go are chosen
 * @param target how much: a measured speed-up or a sparsity
 * @param gates which kinds of units may go, for method cofi; block closes heads and intermediate
 *     units
 * @param steps updates with gates or masks
 * @param rampFraction share of the steps over which the target grows to its value, linearly for
 *     cofi; cubically for magnitude and movement, and so the threshold of block
 * @param learningRate of the model's weights while gates or masks are trained
 * @param gateLearningRate of logAlpha, and of the scores of movement and block
 * @param multiplierLearningRate of lambda1 and lambda2
 * @param logAlphaLimit logAlpha is kept within plus and minus this
 * @param blockPenalty factor on the mean openness of blocks, for method block: the size that the
 *     published method leads to, which here only has to be near the target
 * @param distillation from the teacher
 * @param finetuneSteps updates of the slim model, without gates
 * @param finetuneLearningRate of these
 * @param roundTo intermediate units kept are rounded up to a multiple of this
 * @param batchSizes at each of which the speed-up is measured and must be reached
 * @param length tokens at which the speed-up is measured
 */
public record PruningSection(
    Method method,
    Target target,
    List<GateKind> gates,
    int steps,
    double rampFraction,
    double learningRate,
    double gateLearningRate,
    double multiplierLearningRate,
    double logAlphaLimit,
    double blockPenalty,
    Distillation distillation,
    int finetuneSteps,
    double finetuneLearningRate,
    int roundTo,
    List<Integer> batchSizes,
    int length) {

  /** Ways of choosing what goes. */
  public enum Method {
    /** Gates learned under a Lagrangian (Xia et al. 2022). */
    COFI,
    /** Single weights nearest to 0 become 0 (Zhu and Gupta 2017). */
    MAGNITUDE,
    /** Single weights that move towards 0 become 0 (Sanh et al. 2020). */
    MOVEMENT,
    /** Heads and units by learned scores of blocks of weights (Lagunas et al. 2021). */
    BLOCK
  }

  /** Kinds of units a gate can close. */
  public enum GateKind {
    HEAD,
    INTERMEDIATE,
    @JsonProperty("attention-layer")
    ATTENTION_LAYER,
    @JsonProperty("feed-forward-layer")
    FEED_FORWARD_LAYER,
    HIDDEN
  }

  /**
   * Exactly one of the two is set.
   *
   * @param speedup measured latency before / after, on this machine
   * @param sparsity removed / prunable parameters
   */
  public record Target(@Nullable Double speedup, @Nullable Double sparsity) {
    public Target {
      if ((speedup == null) == (sparsity == null)) {
        Check.require(
            false,
            "pruning.target",
            speedup == null ? "empty" : "both speedup and sparsity",
            "exactly one of speedup and sparsity");
      }
      if (speedup != null) {
        Check.within("pruning.target.speedup", speedup, 1, 100);
      }
      if (sparsity != null) {
        Check.below("pruning.target.sparsity", sparsity, 0, 1);
      }
    }
  }

  /**
   * What the student learns from.
   *
   * @param taskWeight factor on the loss on the text or the labels; CoFi has none for encoders
   * @param layerWeight factor on the distance of hidden states
   * @param predictionWeight factor on the divergence of the output distributions
   * @param temperature of the output distributions
   * @param matching which student layer follows which teacher layer
   */
  public record Distillation(
      double taskWeight,
      double layerWeight,
      double predictionWeight,
      double temperature,
      Matching matching) {
    public Distillation {
      Check.notNegative("pruning.distillation.taskWeight", taskWeight);
      Check.notNegative("pruning.distillation.layerWeight", layerWeight);
      Check.notNegative("pruning.distillation.predictionWeight", predictionWeight);
      Check.positive("pruning.distillation.temperature", temperature);
    }
  }

  /** How student layers are matched to teacher layers (CoFi section 3.2). */
  public enum Matching {
    /** Layer l follows layer l. */
    FIXED,
    /** The nearest student layer, any. */
    FREE,
    /** The nearest student layer that keeps the order. */
    ORDERED
  }

  public PruningSection {
    gates = List.copyOf(gates);
    Check.require(!gates.isEmpty(), "pruning.gates", "empty", "at least one kind of gate");
    Check.require(
        gates.stream().distinct().count() == gates.size(),
        "pruning.gates",
        gates,
        "each kind at most once");
    Check.atLeast("pruning.steps", steps, 1);
    Check.within("pruning.rampFraction", rampFraction, 0, 1);
    Check.positive("pruning.learningRate", learningRate);
    Check.positive("pruning.gateLearningRate", gateLearningRate);
    Check.positive("pruning.multiplierLearningRate", multiplierLearningRate);
    Check.within("pruning.logAlphaLimit", logAlphaLimit, 1, 20);
    Check.notNegative("pruning.blockPenalty", blockPenalty);
    Check.atLeast("pruning.finetuneSteps", finetuneSteps, 0);
    Check.positive("pruning.finetuneLearningRate", finetuneLearningRate);
    Check.between("pruning.roundTo", roundTo, 1, 4_096);
    batchSizes = List.copyOf(batchSizes);
    Check.require(
        !batchSizes.isEmpty(), "pruning.batchSizes", batchSizes, "at least one batch size");
    for (int batchSize : batchSizes) {
      Check.between("pruning.batchSizes", batchSize, 1, 65_536);
    }
    Check.between("pruning.length", length, 1, 1_048_576);
  }
}
