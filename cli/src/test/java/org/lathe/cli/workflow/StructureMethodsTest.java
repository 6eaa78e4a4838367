package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.plan.LayerPlan;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.plan.PruningPlanFile;
import org.lathe.training.files.LocalStorage;

/** Each way of choosing a structure without trained gates, from command to slim run. */
class StructureMethodsTest {
  @TempDir static Path root;
  static Path config;
  static Path teacher;

  /** Half of everything, by Fisher scores: the others take its shape. */
  static Path oneShot;

  @BeforeAll
  static void fineTuneAndPruneOnce() throws IOException {
    TinyEncoder.writePretrained(root.resolve("pretrained"));
    config =
        Files.writeString(
            root.resolve("task.yaml"),
            """
            task:
              kind: classification
              pretrained: %1$s/pretrained
              train: [%1$s/train.tsv]
              valid: [%1$s/valid.tsv]
              text: review
              label: verdict
              maxLength: 16
            training:
              batchSize: 8
              steps: 10
              learningRate: 0.005
              warmupSteps: 0
              evaluateEvery: 0
              checkpointEvery: 0
            pruning:
              target: {sparsity: 0.5}
              importanceBatches: 3
              steps: 2
              finetuneSteps: 2
              roundTo: 2
            """
                .formatted(root));
    Files.writeString(root.resolve("train.tsv"), TinyEncoder.table(1, 40));
    Files.writeString(root.resolve("valid.tsv"), TinyEncoder.table(2, 8));
    teacher = root.resolve("teacher");
    TinyRun.succeed("train", config, "--run", teacher);
    oneShot = prune("one-shot");
  }

  /** Prunes into a new directory. */
  private static Path prune(String method, String... assignments) {
    Path run = root.resolve("run-" + method + Arrays.hashCode(assignments));
    TinyRun.succeed(command(method, run, assignments));
    return run;
  }

  private static Object[] command(String method, Path run, String... assignments) {
    List<Object> words =
        new ArrayList<>(List.of("prune", config, "--teacher", teacher, "--run", run));
    words.addAll(List.of("--set", "pruning.method=" + method));
    for (String assignment : assignments) {
      words.addAll(List.of("--set", assignment));
    }
    return words.toArray();
  }

  private static PruningPlan plan(Path run) throws IOException {
    return PruningPlanFile.read(LocalStorage.INSTANCE, run.resolve("plan.json"));
  }

  private static Weights weights(Path run) {
    RunDirectory directory = RunDirectory.open(LocalStorage.INSTANCE, run);
    HeadConfig head = directory.record().encoder().head();
    return directory.encoderWeights(head);
  }

  @Test
  void oneShotReachesTheSparsityAndItsRunResumes() throws IOException {
    PruningPlan plan = plan(oneShot);
    assertThat(plan.sparsity()).isBetween(0.5, 0.65);
    assertThat(plan.keptHidden()).hasSize(16);
    assertThat(plan.layers()).allMatch(layer -> layer.keptIntermediate().size() % 2 == 0);
    assertThat(weights(oneShot).names()).contains("classifier/output/kernel");
    TinyRun.succeed(command("one-shot", oneShot));
    assertThat(TinyRun.err).doesNotContain("scoring heads and units");
    assertThat(plan(oneShot)).isEqualTo(plan);
    TinyRun.succeed("evaluate", oneShot, "--split", "valid");
  }

  @Test
  void headsGoAloneAndNoFurtherThanTheyCan() throws IOException {
    PruningPlan all = plan(prune("heads", "pruning.target.sparsity=0.6"));
    assertThat(TinyRun.err).contains("no head is left").contains("target is 60.0 %");
    for (LayerPlan layer : all.layers()) {
      assertThat(layer.keptHeads()).isEmpty();
      assertThat(layer.keptIntermediate()).hasSize(32);
    }
  }

  @Test
  void theTopLayerGoes() throws IOException {
    Path run = prune("layer-drop");
    PruningPlan plan = plan(run);
    assertThat(plan.layers().get(0).shape()).isEqualTo(plan.config().blocks().get(0));
    assertThat(plan.layers().get(1)).isEqualTo(new LayerPlan(List.of(), List.of()));
    assertThat(plan.sparsity()).isEqualTo(0.5);
    assertThat(weights(run).names()).noneMatch(name -> name.startsWith("encoder/layer_1/"));
  }

  @Test
  void randomUnitsAreAsManyAsAnotherRunKeepsOrTheTargetLeaves() throws IOException {
    PruningPlan like = plan(prune("random", "pruning.planFrom=" + oneShot));
    assertThat(like.slimConfig()).isEqualTo(plan(oneShot).slimConfig());
    assertThat(like.layers()).isNotEqualTo(plan(oneShot).layers());
    PruningPlan free = plan(prune("random"));
    assertThat(free.sparsity()).isBetween(0.5, 0.75);
    // hidden dimensions went too: the projection of layer distillation has found its rows
    assertThat(free.keptHidden()).hasSizeLessThan(16);
  }

  @Test
  void scratchHasTheShapeAndNotTheWeights() throws IOException {
    Path run = prune("scratch", "pruning.planFrom=" + oneShot);
    assertThat(plan(run).slimConfig()).isEqualTo(plan(oneShot).slimConfig());
    assertThat(plan(run).layers()).isEqualTo(plan(oneShot).layers());
    String table = "encoder/embedding/tokens";
    float[] known = weights(teacher).get(table).values();
    float[] fresh = weights(run).get(table).values();
    assertThat(distance(known, fresh)).isGreaterThan(0.1); // two steps of fine-tuning: 0.001
  }

  /** What was never trained cannot stay as it is. */
  @Test
  void scratchTrainsEmbeddingsThatAreFrozenElsewhere() throws IOException {
    String from = "pruning.planFrom=" + oneShot;
    Weights trained = weights(prune("scratch", from, "task.freezeEmbeddings=false"));
    Weights frozen = weights(prune("scratch", from, "task.freezeEmbeddings=true"));
    for (String name : trained.names()) {
      assertThat(frozen.get(name).values()).as(name).isEqualTo(trained.get(name).values());
    }
    String table = "encoder/embedding/tokens";
    Weights known = weights(prune("random", from, "task.freezeEmbeddings=true"));
    assertThat(known.get(table).values()).isEqualTo(weights(teacher).get(table).values());
  }

  /** At a rate at which nothing is learned, the student is what it started from. */
  @Test
  void aStudentMayStartFromThePretrainedEncoder() throws IOException {
    String table = "encoder/embedding/tokens";
    float[] pretrained =
        EncoderSource.read("test", root.resolve("pretrained"), LocalStorage.INSTANCE)
            .weights()
            .get(table)
            .values();
    float[] taught = weights(teacher).get(table).values();
    assertThat(distance(taught, pretrained)).isGreaterThan(0.01);
    String[] still = {"pruning.learningRate=1e-9", "pruning.finetuneSteps=0"};
    String from = "pruning.studentFrom=" + root.resolve("pretrained");
    for (String method : List.of("cofi", "magnitude", "movement", "block")) {
      float[] start = weights(prune(method, still[0], still[1], from)).get(table).values();
      // of cofi, open gates near 1 are folded in
      assertThat(distance(start, pretrained)).as(method).isLessThan(1e-3);
    }
    float[] usual = weights(prune("block", still)).get(table).values();
    assertThat(distance(usual, taught)).isLessThan(1e-6);
  }

  @Test
  void aStudentMustFitItsTeacher() throws IOException {
    Path run = root.resolve("misfit");
    assertThat(TinyRun.execute(command("block", run, "pruning.studentFrom=" + oneShot)))
        .isEqualTo(2);
    assertThat(TinyRun.err)
        .contains("pruning.studentFrom is " + oneShot)
        .contains("other sizes than the teacher " + teacher);
    Path words = root.resolve("other-words");
    TinyEncoder.writePretrained(words);
    Path tokenizer = words.resolve("tokenizer.json");
    Files.writeString(tokenizer, Files.readString(tokenizer).replace("\"plot\"", "\"cast\""));
    assertThat(TinyRun.execute(command("movement", run, "pruning.studentFrom=" + words)))
        .isEqualTo(2);
    assertThat(TinyRun.err).contains("pruning.studentFrom is " + words).contains("tokenizer");
    assertThat(TinyRun.execute(command("heads", run, "pruning.studentFrom=" + words))).isEqualTo(2);
    assertThat(TinyRun.err).contains("pruning.studentFrom").contains("only cuts");
    assertThat(run).doesNotExist();
  }

  /** Mean absolute difference. */
  private static double distance(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += Math.abs(a[i] - b[i]);
    }
    return sum / a.length;
  }

  @Test
  void gatesGoOnOnlyUnderTheirOwnTeacher() throws IOException {
    Path first = prune("cofi");
    Path other = root.resolve("other-teacher");
    TinyRun.succeed("train", config, "--run", other, "--seed", 2);
    Object[] command = command("cofi", root.resolve("mixed"), "pruning.continueFrom=" + first);
    command[3] = other;
    assertThat(TinyRun.execute(command)).isEqualTo(2);
    assertThat(TinyRun.err)
        .contains("pruning.continueFrom is " + first)
        .contains("pruned from " + teacher);
    assertThat(root.resolve("mixed")).doesNotExist();
  }

  /** The run knows its task, and its report what it holds. */
  @Test
  void theTaskMayComeFromTheTeacher() throws IOException {
    Path run = root.resolve("no-task");
    Path bare = Files.writeString(root.resolve("bare.yaml"), "training: {batchSize: 8}\n");
    TinyRun.succeed(
        "prune",
        bare,
        "--teacher",
        teacher,
        "--run",
        run,
        "--set",
        "pruning.method=random",
        "--set",
        "pruning.target.sparsity=0.5",
        "--set",
        "pruning.finetuneSteps=2");
    TinyRun.succeed("evaluate", run, "--split", "valid");
    TinyRun.succeed("report", run);
    long numValues = weights(run).numValues();
    assertThat(run.resolve("report.html"))
        .content()
        .contains(String.format(Locale.ROOT, "parameters</td><td class=\"number\">%,d<", numValues))
        .doesNotContain("<tr><td>data</td>");
  }

  @Test
  void cofiStartsFromImportance() throws IOException {
    Path run = prune("cofi", "pruning.initialization=importance");
    assertThat(TinyRun.err).contains("scoring heads and units");
    assertThat(plan(run).sparsity()).isGreaterThanOrEqualTo(0.5);
    TinyRun.succeed(command("cofi", run, "pruning.initialization=importance"));
    assertThat(TinyRun.err).doesNotContain("scoring heads and units");
  }

  @Test
  void complaintsNameTheKey() throws IOException {
    Path run = root.resolve("none");
    assertThat(TinyRun.execute(command("scratch", run))).isEqualTo(2);
    assertThat(TinyRun.err).contains("pruning.planFrom").contains("scratch");
    assertThat(TinyRun.execute(command("random", run, "pruning.planFrom=" + teacher))).isEqualTo(2);
    assertThat(TinyRun.err).contains("pruning.planFrom").contains("plan.json");
    assertThat(TinyRun.execute(command("heads", run, "pruning.importanceBatches=0"))).isEqualTo(2);
    assertThat(TinyRun.err).contains("pruning.importanceBatches");
    assertThat(TinyRun.execute(command("magnitude", run, "pruning.target.parameters=1000")))
        .isEqualTo(2);
    assertThat(TinyRun.err).contains("pruning.target.parameters").contains("share of zeros");
    assertThat(TinyRun.execute(command("head", run))).isEqualTo(2);
    assertThat(TinyRun.err).contains("one-shot");
    assertThat(TinyRun.execute(command("random", run, "task.maxLength=4000"))).isEqualTo(2);
    assertThat(TinyRun.err).contains("task.maxLength is 4000").contains(teacher.toString());
    assertThat(TinyRun.execute(command("random", run, "task.kind=regression"))).isEqualTo(2);
    assertThat(TinyRun.err).contains("trained for CLASSIFICATION");
    assertThat(run).doesNotExist();
  }
}
