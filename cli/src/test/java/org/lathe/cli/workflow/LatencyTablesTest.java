package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.lathe.pruning.budget.LatencyTable;
import org.lathe.pruning.budget.LatencyTableFile;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.plan.PruningPlanFile;
import org.lathe.training.files.LocalStorage;

/** Pruned here, by the times of the machine that shall serve. */
class LatencyTablesTest extends TinyRun {
  /** Times that no machine has, so that it shows whose are used: a head costs all of a sublayer. */
  private static final double MS_A_HEAD = 100;

  @Test
  void aModelIsPrunedByTablesMeasuredElsewhere() throws IOException {
    LatencyTable table = invented(16);
    Path file = root.resolve("invented.json");
    LatencyTableFile.write(LocalStorage.INSTANCE, file, table);
    Path slim = root.resolve("slim");
    succeed(prune(slim, file, "--json"));
    JsonNode facts = MAPPER.readTree(out);
    assertThat(facts.path("asked").asDouble()).isEqualTo(1.5);
    assertThat(facts.path("latencyTables").path(0).asText()).isEqualTo(file.toString());
    assertThat(facts.has("speedupBatch1")).isFalse();
    assertThat(err).contains("not timed here");
    assertThat(facts.path("speedupByTables").asDouble()).isGreaterThanOrEqualTo(1.5);
    PruningPlan plan =
        PruningPlanFile.read(LocalStorage.INSTANCE, slim.resolve(RunDirectory.PLAN_FILE));
    double full = table.fullMs(plan.config());
    long heads = plan.layers().stream().mapToLong(layer -> layer.keptHeads().size()).sum();
    assertThat(heads * MS_A_HEAD).isLessThanOrEqualTo(full / 1.5);

    // whole heads go: that is too much where one in ten is allowed
    assertThat(execute(prune(root.resolve("near"), file, "--set", "pruning.speedupTolerance=0.1")))
        .isEqualTo(1);
    assertThat(err).contains("got 2.00x by pruning.latencyTables");

    // the same again, and again with a table that tells the same at another place
    succeed(prune(slim, file, "--json"));
    assertThat(MAPPER.readTree(out)).isEqualTo(facts);
    Path moved = Files.copy(file, root.resolve("moved.json"));
    succeed(prune(slim, moved, "--json"));
    assertThat(MAPPER.readTree(out).path("sparsity")).isEqualTo(facts.path("sparsity"));

    // not with other times
    LatencyTableFile.write(LocalStorage.INSTANCE, moved, table.withHiddenIndependentShare(0.5));
    assertThat(execute(prune(slim, moved))).isEqualTo(2);
    assertThat(err).contains("moved.json holds other times than");
  }

  /** A run that was begun with pruning.length=8 keeps a table of that length. */
  @Test
  void aTableOfAnotherLengthIsNotGoneOnWith() throws IOException {
    Path file = root.resolve("long.json");
    LatencyTable table = invented(16);
    LatencyTableFile.write(LocalStorage.INSTANCE, file, table);
    Path begun = Files.createDirectories(root.resolve("begun"));
    Path own = begun.resolve("latency-batch-1.json");
    LatencyTableFile.write(LocalStorage.INSTANCE, own, invented(8));
    assertThat(execute(prune(begun, file))).isEqualTo(2);
    assertThat(err).contains("table " + own + " is of length 8; expected 16");
  }

  /** A configuration without a model section says nothing of the teacher's 64 positions. */
  @Test
  void textsAreNoLongerThanTheTeachersPositions() throws IOException {
    Path slim = root.resolve("long-texts");
    Path config = Files.writeString(root.resolve("short.yaml"), "seed: 1\n");
    Object[] command = {"prune", config, "--teacher", run, "--run", slim};
    assertThat(execute(command)).isEqualTo(2);
    assertThat(err).contains("training.segmentLength is 128").contains("model.maxPositions (64)");
    assertThat(slim).doesNotExist();
  }

  @Test
  void tablesAreMeasured() throws IOException {
    Path tables = root.resolve("tables");
    Object[] command = {
      "benchmark", "sublayers", run, "--batch", "1,2", "--length", 8, "--out", tables, "--json"
    };
    succeed(command);
    JsonNode facts = MAPPER.readTree(out);
    assertThat(facts.path("tables")).hasSize(2);
    JsonNode second = facts.path("tables").path(1);
    LatencyTable table =
        LatencyTableFile.read(LocalStorage.INSTANCE, Path.of(second.path("path").asText()));
    assertThat(table.batchSize()).isEqualTo(2);
    assertThat(table.length()).isEqualTo(8);
    assertThat(second.path("fullMs").asDouble() / second.path("largestSpeedup").asDouble())
        .isCloseTo(table.otherMs(), within(1e-9));
    Path slim = root.resolve("refused");
    assertThat(execute(prune(slim, tables.resolve("latency-batch-1.json")))).isEqualTo(2);
    assertThat(err).contains("latency-batch-1.json is of length 8; expected 16");
    assertThat(
            execute(
                prune(slim, tables.resolve("latency-batch-2.json"), "--set", "pruning.length=8")))
        .isEqualTo(2);
    assertThat(err).contains("no table of batch size 1").contains("--batch 1");
    Files.writeString(tables.resolve("latency-batch-1.json"), "{}");
    assertThat(execute(prune(slim, tables.resolve("latency-batch-1.json")))).isEqualTo(3);
    assertThat(execute(prune(slim, tables.resolve("none.json")))).isEqualTo(2);
    assertThat(slim.resolve("run.json")).doesNotExist();
  }

  private static LatencyTable invented(int length) {
    RunRecord record = RunDirectory.open(LocalStorage.INSTANCE, run).record();
    int numHeads = record.model().blocks().get(0).numHeads();
    List<Double> attentionMs = new ArrayList<>();
    for (int heads = 0; heads <= numHeads; heads++) {
      attentionMs.add(heads * MS_A_HEAD);
    }
    return new LatencyTable(
        1,
        length,
        record.model().hiddenSize(),
        attentionMs,
        List.of(0, record.model().blocks().get(0).intermediateSize()),
        List.of(0.0, 0.001),
        0.001,
        1);
  }

  private static Object[] prune(Path slim, Path table, Object... more) {
    List<Object> command = new ArrayList<>(List.of("prune", "--preset", "tiny"));
    for (String setting :
        List.of(
            "data.directory=" + data,
            "pruning.target.speedup=1.5",
            "pruning.batchSizes=[1]",
            "pruning.steps=4",
            "pruning.finetuneSteps=2",
            "pruning.latencyTables=[" + table + "]")) {
      command.addAll(List.of("--set", setting));
    }
    command.addAll(List.of("--teacher", run, "--run", slim));
    command.addAll(Arrays.asList(more));
    return command.toArray();
  }
}
