package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.lathe.cli.workflow.TinyPruning.TOKENS;
import static org.lathe.cli.workflow.TinyPruning.distance;
import static org.lathe.cli.workflow.TinyPruning.plan;
import static org.lathe.cli.workflow.TinyPruning.tokens;
import static org.lathe.cli.workflow.TinyPruning.weights;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.masks.PrunableKernels;
import org.lathe.pruning.plan.LayerPlan;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.slimming.Slimmer;
import org.lathe.training.files.LocalStorage;

/** What each way of choosing a structure leaves, from command to slim run. */
class StructureMethodsTest {
  @TempDir static Path root;
  static TinyPruning tiny;

  /** Half of everything, by Fisher scores: the others take its shape. */
  static Path oneShot;

  @BeforeAll
  static void fineTuneAndPruneOnce() throws IOException {
    tiny = TinyPruning.in(root);
    oneShot = tiny.prune("one-shot");
  }

  @Test
  void oneShotReachesTheSparsityAndItsRunResumes() throws IOException {
    PruningPlan plan = plan(oneShot);
    assertThat(plan.sparsity()).isBetween(0.5, 0.65);
    assertThat(plan.keptHidden()).hasSize(16);
    assertThat(plan.layers()).allMatch(layer -> layer.keptIntermediate().size() % 2 == 0);
    assertThat(weights(oneShot).names()).contains("classifier/output/kernel");
    TinyRun.succeed(tiny.command("one-shot", oneShot));
    assertThat(TinyRun.err).doesNotContain("scoring heads and units");
    assertThat(plan(oneShot)).isEqualTo(plan);
    TinyRun.succeed("evaluate", oneShot, "--split", "valid");
  }

  @Test
  void oneShotRescalesWhatItKeeps() throws IOException {
    Path run = tiny.prune("one-shot", "pruning.finetuneSteps=0");
    EncoderRecord full = TinyPruning.encoder(tiny.teacher());
    Weights cut =
        Slimmer.slim(full.config(), full.head(), weights(tiny.teacher()), plan(run)).weights();
    double largest = 0;
    for (String name : cut.names()) {
      double moved = distance(cut.get(name).values(), weights(run).get(name).values());
      largest = Math.max(largest, moved);
    }
    assertThat(largest).isGreaterThan(1e-3);
  }

  @Test
  void headsGoAloneAndNoFurtherThanTheyCan() throws IOException {
    Path run = tiny.prune("heads", "pruning.target.sparsity=0.6");
    PruningPlan all = plan(run);
    assertThat(TinyRun.err).contains("no head is left").contains("target is 60.0 %");
    for (LayerPlan layer : all.layers()) {
      assertThat(layer.keptHeads()).isEmpty();
      assertThat(layer.keptIntermediate()).hasSize(32);
    }
    TinyRun.succeed(tiny.command("heads", run, "pruning.target.sparsity=0.6"));
    assertThat(TinyRun.err).doesNotContain("scoring heads and units");
  }

  @Test
  void theTopLayerGoes() throws IOException {
    Path run = tiny.prune("layer-drop");
    PruningPlan plan = plan(run);
    assertThat(plan.layers().get(0).shape()).isEqualTo(plan.config().blocks().get(0));
    assertThat(plan.layers().get(1)).isEqualTo(new LayerPlan(List.of(), List.of()));
    assertThat(plan.sparsity()).isEqualTo(0.5);
    assertThat(weights(run).names()).noneMatch(name -> name.startsWith("encoder/layer_1/"));
  }

  @Test
  void randomUnitsAreAsManyAsAnotherRunKeepsOrTheTargetLeaves() throws IOException {
    PruningPlan like = plan(tiny.prune("random", "pruning.planFrom=" + oneShot));
    assertThat(like.slimConfig()).isEqualTo(plan(oneShot).slimConfig());
    assertThat(like.layers()).isNotEqualTo(plan(oneShot).layers());
    PruningPlan free = plan(tiny.prune("random"));
    assertThat(free.sparsity()).isBetween(0.5, 0.75);
    // hidden dimensions went too: the projection of layer distillation has found its rows
    assertThat(free.keptHidden()).hasSizeLessThan(16);
  }

  @Test
  void scratchHasTheShapeAndNotTheWeights() throws IOException {
    Path run = tiny.prune("scratch", "pruning.planFrom=" + oneShot);
    assertThat(plan(run).slimConfig()).isEqualTo(plan(oneShot).slimConfig());
    assertThat(plan(run).layers()).isEqualTo(plan(oneShot).layers());
    // two steps of fine-tuning move the table by 0.001
    assertThat(distance(tokens(tiny.teacher()), tokens(run))).isGreaterThan(0.1);
  }

  /** What was never trained cannot stay as it is. */
  @Test
  void scratchTrainsEmbeddingsThatAreFrozenElsewhere() {
    String from = "pruning.planFrom=" + oneShot;
    Weights trained = weights(tiny.prune("scratch", from, "task.freezeEmbeddings=false"));
    Weights frozen = weights(tiny.prune("scratch", from, "task.freezeEmbeddings=true"));
    for (String name : trained.names()) {
      assertThat(frozen.get(name).values()).as(name).isEqualTo(trained.get(name).values());
    }
    Weights known = weights(tiny.prune("random", from, "task.freezeEmbeddings=true"));
    assertThat(known.get(TOKENS).values()).isEqualTo(tokens(tiny.teacher()));
  }

  @Test
  void cofiStartsFromImportance() throws IOException {
    Path run = tiny.prune("cofi", "pruning.initialization=importance");
    assertThat(TinyRun.err).contains("scoring heads and units");
    assertThat(plan(run).sparsity()).isGreaterThanOrEqualTo(0.5);
    TinyRun.succeed(tiny.command("cofi", run, "pruning.initialization=importance"));
    assertThat(TinyRun.err).doesNotContain("scoring heads and units");
  }

  /** At the second of two steps half of the way from 0.25 to 0.5 is asked for. */
  @Test
  void cofiMayStartBelowItsTarget() throws IOException {
    Path run =
        tiny.prune(
            "cofi",
            "pruning.initialization=importance",
            "pruning.importanceStart=0.5",
            "pruning.rampFraction=1");
    assertThat(run.resolve("pruning/metrics.jsonl"))
        .content()
        .contains("\"reductionTarget\",\"value\":0.375,");
    assertThat(plan(run).sparsity()).isGreaterThanOrEqualTo(0.5);
  }

  @Test
  void magnitudeClosesWhatIsNearestToZeroAndMovementDoesNot() {
    assertThat(overlap("magnitude")).isLessThan(1e-6);
    assertThat(overlap("movement")).isGreaterThan(1e-3);
  }

  /** Of ten steps the first masks nothing; at the last the ramp is 0.5 (1 - 0.2^3). */
  @Test
  void masksWaitForATenthOfTheSteps() {
    Path run = tiny.prune("movement", "pruning.steps=10", "pruning.rampFraction=1");
    assertThat(run.resolve("pruning/metrics.jsonl"))
        .content()
        .containsPattern("reductionTarget\",\"value\":0\\.49(6|5999)");
  }

  /** The largest closed magnitude of the teacher less the smallest open one. */
  private static double overlap(String method) {
    Path run = tiny.prune(method, "pruning.learningRate=1e-9", "pruning.finetuneSteps=0");
    PrunableKernels kernels =
        new PrunableKernels(
            RunDirectory.open(LocalStorage.INSTANCE, run).record().model(), Encoder.PREFIX);
    Weights masked = weights(run);
    Weights taught = weights(tiny.teacher());
    double closed = 0;
    double open = Double.POSITIVE_INFINITY;
    for (String name : kernels.names()) {
      float[] kept = masked.get(name).values();
      float[] known = taught.get(name).values();
      for (int i = 0; i < kept.length; i++) {
        if (kept[i] == 0) {
          closed = Math.max(closed, Math.abs(known[i]));
        } else {
          open = Math.min(open, Math.abs(known[i]));
        }
      }
    }
    return closed - open;
  }
}
