package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.lathe.cli.config.PruningSection;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.pruning.budget.ParameterCount;

/** What {@code lathe prune} tells, of whatever kind of model. */
final class PruneFacts {
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

  /** Of the methods only CoFi trains. */
  private static String howLong(PruningSection settings) {
    return settings.method() == PruningSection.Method.COFI
        ? " for " + settings.steps() + " steps"
        : "";
  }

  static Outcome stopped(PruneRequest request) {
    return Outcome.interrupted(
        Map.of("run", request.run().toString()),
        ImmutableList.of("stopped with a checkpoint; the same command continues"));
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
