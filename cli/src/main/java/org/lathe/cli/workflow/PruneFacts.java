package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.lathe.cli.config.PruningSection;
import org.lathe.cli.progress.Console;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.pruning.budget.ExpectedSizes;
import org.lathe.pruning.budget.ParameterCount;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateLogits;

/** What {@code lathe prune} tells, of whatever kind of model. */
final class PruneFacts {
  /** How far the expected reduction may be from the target, in parts of the full model. */
  private static final double SETTLED = 0.05;

  /** Fine-tuning warms its learning rate up over 5 % of its steps. */
  private static final int STEPS_PER_WARMUP_STEP = 20;

  private PruneFacts() {}

  static long warmupSteps(long steps) {
    return steps / STEPS_PER_WARMUP_STEP;
  }

  static Outcome dryRun(PruneRequest request, TransformerConfig full) {
    long prunable = ParameterCount.count(full);
    return Outcome.done(
        Map.of("teacher", request.teacher().toString(), "prunableParameters", prunable),
        ImmutableList.of(
            String.format(
                Locale.ROOT,
                "would prune %s (%,d prunable parameters)%s, then fine-tune %d",
                request.teacher(),
                prunable,
                howLong(request.config().pruning()),
                request.config().pruning().finetuneSteps())));
  }

  /** Some methods choose without training. */
  private static String howLong(PruningSection settings) {
    return switch (settings.method()) {
      case COFI, MAGNITUDE, MOVEMENT, BLOCK, TINYBERT -> " for " + settings.steps() + " steps";
      case RANDOM, SCRATCH, LAYER_DROP, HEADS, ONE_SHOT -> "";
    };
  }

  /**
   * Complains of trained gates that are still on their way to the target. The structure meets it
   * all the same, by closing or opening gates in the order of their logits, but the weights were
   * not trained for that.
   *
   * @param learned gates at the end of their stage
   */
  static void tellUnsettled(PruningTarget target, GateLogits learned, Console console) {
    double reached = target.achieved(learned.config(), ExpectedSizes.of(learned));
    if (Math.abs(reached - target.reduction()) > SETTLED) {
      console.note(
          String.format(
              Locale.ROOT,
              "the gates ended at a reduction of %.2f where %.2f was asked; the rest goes by their"
                  + " order alone, which costs quality. Try more pruning.steps, and another"
                  + " pruning.multiplierLearningRate if the report shows that the reduction swings",
              reached,
              target.reduction()));
    }
  }

  static Outcome stopped(PruneRequest request) {
    return Outcome.interrupted(
        Map.of("run", request.run().toString()),
        ImmutableList.of("stopped; the same command continues"));
  }

  /**
   * The kept structure.
   *
   * @param scores facts of the slim model, by name
   * @param next lines that name the next command
   */
  static Outcome done(
      PruneRequest request,
      TransformerConfig before,
      TransformerConfig slim,
      Map<String, Object> scores,
      List<String> next) {
    double sparsity = ParameterCount.sparsity(before, slim);
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("run", request.run().toString());
    facts.put("sparsity", sparsity);
    facts.put("hiddenSize", slim.hiddenSize());
    facts.put("prunableParameters", ParameterCount.count(slim));
    facts.putAll(scores);
    List<String> lines = new ArrayList<>();
    lines.add(
        String.format(
            Locale.ROOT,
            "%s: %.1f %% of the prunable parameters removed, hidden size %d of %d",
            request.run(),
            100 * sparsity,
            slim.hiddenSize(),
            before.hiddenSize()));
    for (int layer = 0; layer < slim.numLayers(); layer++) {
      lines.add(
          String.format(
              Locale.ROOT,
              "  layer %d: %d of %d heads, %d of %d intermediate units",
              layer,
              slim.blocks().get(layer).numHeads(),
              before.blocks().get(layer).numHeads(),
              slim.blocks().get(layer).intermediateSize(),
              before.blocks().get(layer).intermediateSize()));
    }
    scores.forEach((name, value) -> lines.add("  " + name + ": " + value));
    lines.addAll(next);
    return Outcome.done(facts, lines);
  }
}
