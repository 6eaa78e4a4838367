package org.lathe.cli.config;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.google.common.collect.Sets;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What is removed, how much, and how the rest is trained.
 *
 * @param method how the units that go are chosen
 * @param planFrom directory of a pruned run whose numbers of units are taken, by random and
 *     scratch; empty for none
 * @param importanceBatches training batches that heads and one-shot look at
 * @param initialization where logAlpha starts
 * @param initialLogAlpha mean of logAlpha of heads and intermediate units at the start, for
 *     initialization uniform
 * @param initialLayerLogAlpha the same of sublayers and hidden dimensions
 * @param importanceSpread for initialization importance: logAlpha of what is worth least and most
 *     is this far from half open
 * @param importanceStart for initialization importance: part of the target's reduction at which the
 *     gates start, and from which the reduction asked for grows over rampFraction
 * @param continueFrom directory of a run pruned less by cofi, whose weights and gates this one goes
 *     on from (a ladder of targets); empty for none
 * @param target how much: a measured speed-up, a sparsity, or parameters that are left
 * @param gates which kinds of units may go, for method cofi and, without planFrom, random; block
 *     closes heads and intermediate units
 * @param studentLayers layers of tinybert's student, or 0 for about half of the teacher's
 * @param studentFrom whose weights the student starts with. For tinybert the directory of a run
 *     that was pruned by tinybert on plain text (general distillation), empty for a cut-out of the
 *     teacher; for block, magnitude and movement a pretrained encoder, such as the teacher's
 *     task.pretrained, with a new head, empty for the teacher's weights
 * @param steps updates with gates or masks, or of tinybert's student before it learns to predict
 * @param rampFraction share of the steps over which the target grows to its value, linearly for
 *     cofi, with initialization importance from importanceStart on; cubically and after the first
 *     tenth of the steps for magnitude and movement, and so the threshold of block
 * @param learningRate of the model's weights while gates or masks are trained
 * @param gateLearningRate of logAlpha, and of the scores of movement and block
 * @param multiplierLearningRate of lambda1 and lambda2
 * @param logAlphaLimit logAlpha is kept within plus and minus this
 * @param blockPenalty factor on the mean openness of blocks, for method block: the size that the
 *     published method leads to, which here only has to be near the target
 * @param distillation from the teacher
 * @param finetuneSteps updates of the slim model, without gates
 * @param finetuneLearningRate of these
 * @param roundTo intermediate units kept are rounded up to a multiple of this, and by cofi and
 *     random hidden dimensions; tinybert's widths are the largest multiples that the target allows
 * @param batchSizes at each of which the speed-up is measured and must be reached
 * @param length tokens at which the speed-up is measured
 * @param latencyTables files that lathe benchmark sublayers measured where the model shall serve,
 *     one for each of batchSizes: the speed-up is then what they say, and nothing is timed here;
 *     empty = measured here
 * @param speedupTolerance how far the exported model's measured speed-up may be from the target, as
 *     a part of it
 */
public record PruningSection(
    Method method,
    String planFrom,
    int importanceBatches,
    Initialization initialization,
    double initialLogAlpha,
    double initialLayerLogAlpha,
    double importanceSpread,
    double importanceStart,
    String continueFrom,
    Target target,
    List<GateKind> gates,
    int studentLayers,
    String studentFrom,
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
    int length,
    List<String> latencyTables,
    double speedupTolerance) {

  /** Ways of choosing what goes. */
  public enum Method {
    /** Gates learned under a Lagrangian (Xia et al. 2022). */
    COFI,
    /** Single weights nearest to 0 become 0 (Zhu and Gupta 2017). */
    MAGNITUDE,
    /** Single weights that move towards 0 become 0 (Sanh et al. 2020). */
    MOVEMENT,
    /** Heads and units by learned scores of blocks of weights (Lagunas et al. 2021). */
    BLOCK,
    /** A small uniform student that learns its teacher's inner states (Jiao et al. 2020). */
    TINYBERT,
    /** Random units: as many as planFrom keeps, or what the target leaves. */
    RANDOM,
    /** The shape of planFrom, with fresh weights. */
    SCRATCH,
    /** The topmost layers go (Sajjad et al. 2020). */
    @JsonProperty("layer-drop")
    LAYER_DROP,
    /** Heads go by the gradient of the loss in their gates (Michel et al. 2019). */
    HEADS,
    /** Fisher scores, rearrangement, rescaling (Kwon et al. 2022). */
    @JsonProperty("one-shot")
    ONE_SHOT
  }

  /** Methods whose student may start from other weights than its teacher's. */
  private static final Set<Method> STARTED =
      Sets.immutableEnumSet(Method.BLOCK, Method.MAGNITUDE, Method.MOVEMENT, Method.TINYBERT);

  /** Where CoFi's gates start. */
  public enum Initialization {
    /** All alike. */
    UNIFORM,
    /** Heads and intermediate units at what their Fisher scores alone would keep. */
    IMPORTANCE
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
   * Exactly one of these is set.
   *
   * @param speedup measured latency before / after, on this machine
   * @param sparsity removed / prunable parameters
   * @param parameters prunable parameters that are left at most
   */
  public record Target(
      @Nullable Double speedup, @Nullable Double sparsity, @Nullable Long parameters) {
    public Target {
      long numSet = Stream.of(speedup, sparsity, parameters).filter(Objects::nonNull).count();
      Check.require(
          numSet == 1,
          "pruning.target",
          numSet == 0 ? "empty" : "several",
          "exactly one of speedup, sparsity and parameters");
      if (parameters != null) {
        Check.require(
            parameters > 0, "pruning.target.parameters", parameters, "a whole number from 1");
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
    Check.require(
        method != Method.SCRATCH || !planFrom.isBlank(),
        "pruning.planFrom",
        "empty",
        "the directory of a pruned run, whose shape pruning.method=scratch takes");
    Check.require(
        method == Method.COFI || continueFrom.isBlank(),
        "pruning.continueFrom",
        continueFrom,
        "nothing, but for pruning.method=cofi");
    Check.require(
        studentFrom.isBlank() || STARTED.contains(method),
        "pruning.studentFrom",
        studentFrom,
        "nothing, but for pruning.method block, magnitude, movement and tinybert");
    Check.atLeast("pruning.importanceBatches", importanceBatches, 1);
    Check.between("pruning.studentLayers", studentLayers, 0, 1_024);
    Check.atLeast("pruning.steps", steps, 1);
    Check.within("pruning.rampFraction", rampFraction, 0, 1);
    Check.positive("pruning.learningRate", learningRate);
    Check.positive("pruning.gateLearningRate", gateLearningRate);
    Check.positive("pruning.multiplierLearningRate", multiplierLearningRate);
    Check.within("pruning.logAlphaLimit", logAlphaLimit, 1, 20);
    Check.within("pruning.initialLogAlpha", initialLogAlpha, -logAlphaLimit, logAlphaLimit);
    Check.within(
        "pruning.initialLayerLogAlpha", initialLayerLogAlpha, -logAlphaLimit, logAlphaLimit);
    Check.notNegative("pruning.importanceSpread", importanceSpread);
    Check.within("pruning.importanceStart", importanceStart, 0.01, 1);
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
    latencyTables = List.copyOf(latencyTables);
    Check.positive("pruning.speedupTolerance", speedupTolerance);
  }
}
