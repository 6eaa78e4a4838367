package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.lathe.cli.workflow.TinyPruning.TOKENS;
import static org.lathe.cli.workflow.TinyPruning.distance;
import static org.lathe.cli.workflow.TinyPruning.plan;
import static org.lathe.cli.workflow.TinyPruning.tokens;
import static org.lathe.cli.workflow.TinyPruning.weights;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.budget.LatencyTable;
import org.lathe.pruning.budget.LatencyTableFile;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.files.LocalStorage;

/** What a pruned run of a task starts from, goes by, keeps and refuses, whatever its method. */
class PrunedTaskRunTest {
  @TempDir static Path root;
  static TinyPruning tiny;

  /** A shape for others to take. */
  static Path shape;

  @BeforeAll
  static void fineTuneAndPruneOnce() throws IOException {
    tiny = TinyPruning.in(root);
    shape = tiny.prune("random");
  }

  /** At a rate at which nothing is learned, the student is what it started from. */
  @Test
  void aStudentMayStartFromThePretrainedEncoder() {
    float[] pretrained =
        EncoderSource.read("test", root.resolve("pretrained"), LocalStorage.INSTANCE)
            .weights()
            .get(TOKENS)
            .values();
    float[] taught = tokens(tiny.teacher());
    assertThat(distance(taught, pretrained)).isGreaterThan(0.01);
    String[] still = {"pruning.learningRate=1e-9", "pruning.finetuneSteps=0"};
    String from = "pruning.studentFrom=" + root.resolve("pretrained");
    String head = "classifier/output/kernel";
    float[] taughtHead = weights(tiny.teacher()).get(head).values();
    for (String method : List.of("magnitude", "movement", "block")) {
      Weights start = weights(tiny.prune(method, still[0], still[1], from));
      assertThat(distance(start.get(TOKENS).values(), pretrained)).as(method).isLessThan(1e-6);
      assertThat(distance(start.get(head).values(), taughtHead)).as(method).isGreaterThan(1e-3);
    }
    float[] usual = tokens(tiny.prune("block", still));
    assertThat(distance(usual, taught)).isLessThan(1e-6);
  }

  @Test
  void aStudentMustFitItsTeacher() throws IOException {
    Path run = root.resolve("misfit");
    refused("other sizes than the teacher", "block", run, "pruning.studentFrom=" + shape);
    Path words = root.resolve("other-words");
    TinyEncoder.writePretrained(words);
    renameAWord(words);
    String from = "pruning.studentFrom=" + words;
    refused("whose tokenizer is not that of the teacher", "movement", run, from);
    refused("but for pruning.method block", "cofi", run, from);
    Path slim = tiny.prune("random", "pruning.target.sparsity=0.6");
    renameAWord(slim);
    String general = "pruning.studentFrom=" + slim;
    refused("whose tokenizer is not that of the teacher", "tinybert", run, general);
  }

  private static void renameAWord(Path directory) throws IOException {
    Path tokenizer = directory.resolve("tokenizer.json");
    Files.writeString(tokenizer, Files.readString(tokenizer).replace("\"plot\"", "\"cast\""));
  }

  private static void refused(String why, String method, Path run, String... assignments) {
    assertThat(TinyRun.execute(tiny.command(method, run, assignments))).isEqualTo(2);
    assertThat(TinyRun.err).contains(why).contains(assignments[0].split("=", 2)[0]);
    assertThat(run).doesNotExist();
  }

  @Test
  void gatesGoOnOnlyUnderTheirOwnTeacher() {
    Path first = tiny.prune("cofi");
    Path run = root.resolve("mixed");
    Object[] command =
        tiny.command(tiny.otherTeacher(), "cofi", run, "pruning.continueFrom=" + first);
    assertThat(TinyRun.execute(command)).isEqualTo(2);
    assertThat(TinyRun.err)
        .contains("pruning.continueFrom is " + first)
        .contains("pruned from " + tiny.teacher());
    assertThat(run).doesNotExist();
  }

  /** Its path is the same, its weights are others. */
  @Test
  void gatesDoNotGoOnUnderATeacherThatWasReplaced() throws IOException {
    Path first = tiny.prune("cofi", "pruning.target.sparsity=0.3");
    Path teacherFile = first.resolve("teacher.json");
    String begun = Files.readString(teacherFile);
    String found = TinyRun.MAPPER.readTree(begun).path("fingerprint").asText();
    Files.writeString(teacherFile, begun.replace(found, "0".repeat(found.length())));
    String from = "pruning.continueFrom=" + first;
    assertThat(TinyRun.execute(tiny.command("cofi", root.resolve("goes-on"), from))).isEqualTo(3);
    assertThat(TinyRun.err).contains(first + " was begun with the teacher").contains(found);
  }

  @Test
  void gatesGoOnFromGatesOnly() {
    Path run = root.resolve("no-gates");
    refused("was pruned with method random", "cofi", run, "pruning.continueFrom=" + shape);
  }

  @Test
  void somethingIsLearnedFrom() {
    Path run = root.resolve("from-nothing");
    refused(
        "pruning.distillation is without any weight",
        "cofi",
        run,
        "pruning.distillation.taskWeight=0",
        "pruning.distillation.layerWeight=0",
        "pruning.distillation.predictionWeight=0");
  }

  @Test
  void anotherTeacherIsAnotherRun() {
    Path run = tiny.prune("layer-drop");
    assertThat(TinyRun.execute(tiny.command(tiny.otherTeacher(), "layer-drop", run))).isEqualTo(3);
    assertThat(TinyRun.err)
        .contains("begun with the teacher " + tiny.teacher(), "of the fingerprint");
  }

  @Test
  void aTeacherThatWasTrainedOnIsAnotherOne() {
    Path run = root.resolve("begun");
    RunDirectory teacher = RunDirectory.open(LocalStorage.INSTANCE, tiny.teacher());
    Weights weights = weights(tiny.teacher());
    TeacherFile.keepOrCompare(LocalStorage.INSTANCE, run, teacher, weights);
    TeacherFile.keepOrCompare(LocalStorage.INSTANCE, run, teacher, weights);
    weights.get(TOKENS).values()[3] += 1e-3f;
    assertThatThrownBy(
            () -> TeacherFile.keepOrCompare(LocalStorage.INSTANCE, run, teacher, weights))
        .isInstanceOf(GraphMismatchException.class)
        .hasMessageContaining("trained on or replaced");
    // nothing is known of what was begun before, nor is anything said of it
    TeacherFile.keepOrCompare(LocalStorage.INSTANCE, tiny.teacher(), teacher, weights);
    assertThat(tiny.teacher().resolve("teacher.json")).doesNotExist();
  }

  @Test
  void labelsAreTheTeachers() throws IOException {
    Path other =
        Files.writeString(
            root.resolve("maybe.tsv"), TinyEncoder.table(1, 40).replace("\tno", "\tmaybe"));
    Object[] command =
        tiny.command(
            "random",
            root.resolve("relabelled"),
            "task.train=[" + other + "]",
            "task.label=verdict");
    assertThat(TinyRun.execute(command)).isNotZero();
    assertThat(TinyRun.err).contains("maybe").contains("no, yes");
  }

  @Test
  void fineTuningHasARateOfItsOwn() {
    Path run =
        tiny.prune("random", "pruning.planFrom=" + shape, "pruning.finetuneLearningRate=1e-9");
    Path still = tiny.prune("random", "pruning.planFrom=" + shape, "pruning.finetuneSteps=0");
    assertThat(distance(tokens(run), tokens(still))).isLessThan(1e-6);
  }

  @Test
  void theBestModelIsReadNotTheNewest() {
    Path run = tiny.prune("random", "pruning.planFrom=" + shape, "pruning.finetuneSteps=1");
    Weights marked = new Weights();
    Weights kept = weights(run);
    for (String name : kept.names()) {
      Weights.Array array = kept.get(name);
      marked.put(name, array.shape(), new float[array.values().length]);
    }
    new CheckpointStore(LocalStorage.INSTANCE, run.resolve(RunDirectory.BEST), 1)
        .save(99, marked, Map.of(), "any");
    assertThat(tokens(run)).containsOnly(0);
  }

  /** A target that was corrected by timing is remembered; the choice goes by it. */
  @Test
  void aResumedSpeedupGoesByTheTargetThatWasFound() throws IOException {
    LatencyTable table =
        new LatencyTable(
            1, 16, 16, List.of(0.0, 1.0, 2.0), List.of(0, 32), List.of(0.0, 2.0), 0.5, 1);
    Path file = root.resolve("table.json");
    LatencyTableFile.write(LocalStorage.INSTANCE, file, table);
    Path run = Files.createDirectories(root.resolve("found"));
    Files.writeString(run.resolve(SpeedupSearch.FILE), "{\"asked\": 1.2, \"plannedFor\": 3.0}");
    TinyRun.succeed(
        tiny.command(
            "random",
            run,
            "pruning.target.speedup=1.2",
            "pruning.batchSizes=[1]",
            "pruning.length=16",
            "pruning.latencyTables=[" + file + "]"));
    PruningPlan plan = plan(run);
    assertThat(table.fullMs(plan.config()) / table.fullMs(plan.slimConfig())).isGreaterThan(2.9);
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
        tiny.teacher(),
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
  void complaintsNameTheKey() {
    Path run = root.resolve("none");
    assertThat(TinyRun.execute(tiny.command("scratch", run))).isEqualTo(2);
    assertThat(TinyRun.err).contains("pruning.planFrom").contains("scratch");
    refused("plan.json", "random", run, "pruning.planFrom=" + tiny.teacher());
    refused("pruning.importanceBatches", "heads", run, "pruning.importanceBatches=0");
    refused("share of zeros", "magnitude", run, "pruning.target.parameters=1000");
    assertThat(TinyRun.execute(tiny.command("head", run))).isEqualTo(2);
    assertThat(TinyRun.err).contains("one-shot");
    refused("task.maxLength is 4000", "random", run, "task.maxLength=4000");
    assertThat(TinyRun.err).contains(tiny.teacher().toString());
    refused("trained for classification", "random", run, "task.kind=regression");
    assertThat(run).doesNotExist();
  }
}
