package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.hash.Hashing;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.RunConfigReader;
import org.lathe.training.files.LocalStorage;

class ConfigHashTest {
  /** A run begun before there were learned keys is resumed by the same command. */
  @Test
  void withoutLearnedKeysIsThatOfAConfigurationThatDoesNotKnowThem() {
    RunConfig config = config();
    ObjectNode tree = RunConfigReader.toJson(config).deepCopy();
    tree.remove(List.of("task", "data", "evaluation", "export", "pruning", "recurrence"));
    ((ObjectNode) tree.get("model"))
        .remove(List.of("cutoffs", "factor", "tiedProjections", "softmaxDropout"));
    ((ObjectNode) tree.get("memory")).remove("keySize");
    assertThat(RunDirectory.configHash(config, "data", ""))
        .isEqualTo(Hashing.sha256().hashString(tree + "data", StandardCharsets.UTF_8).toString());
  }

  /** A pruned run begun when CoFi was the only method is resumed by the same command. */
  @Test
  void ofCofiIsThatOfAConfigurationThatKnowsNoOtherMethod() {
    String cofi = RunDirectory.configHash(config(), "data", "teacher");
    assertThat(cofi)
        .isEqualTo(
            RunDirectory.configHash(
                config("pruning.importanceBatches=3", "pruning.planFrom=x"), "data", "teacher"))
        .isNotEqualTo(
            RunDirectory.configHash(config("pruning.initialization=importance"), "data", "teacher"))
        .isNotEqualTo(RunDirectory.configHash(config("pruning.method=heads"), "data", "teacher"));
    ObjectNode tree = RunConfigReader.toJson(config()).deepCopy();
    tree.remove(List.of("task", "data", "evaluation", "export", "recurrence"));
    ((ObjectNode) tree.get("model"))
        .remove(List.of("cutoffs", "factor", "tiedProjections", "softmaxDropout"));
    ((ObjectNode) tree.get("memory")).remove("keySize");
    ObjectNode pruning = (ObjectNode) tree.get("pruning");
    pruning.remove(
        List.of(
            "method",
            "planFrom",
            "importanceBatches",
            "initialization",
            "importanceStart",
            "continueFrom",
            "blockPenalty",
            "studentLayers",
            "studentFrom",
            "latencyTables",
            "speedupTolerance"));
    ((ObjectNode) pruning.get("distillation")).remove("taskWeight");
    assertThat(cofi)
        .isEqualTo(
            Hashing.sha256()
                .hashString(tree + "data" + "teacher", StandardCharsets.UTF_8)
                .toString());
  }

  /** A structure chosen by given times is another than one that was timed here. */
  @Test
  void givenLatencyTablesCountByBeingThere() {
    assertThat(pruned("pruning.latencyTables=[a.json]"))
        .isEqualTo(pruned("pruning.latencyTables=[b.json]"))
        .isNotEqualTo(pruned());
  }

  @Test
  void tellsKeySizesApart() {
    String four = RunDirectory.configHash(config("memory.keySize=4"), "data", "");
    assertThat(four)
        .isNotEqualTo(RunDirectory.configHash(config(), "data", ""))
        .isNotEqualTo(RunDirectory.configHash(config("memory.keySize=5"), "data", ""));
  }

  /** Of a method that has no student of its own, the student's layers say nothing. */
  @Test
  void studentLayersCountForTinyBertOnly() {
    assertThat(pruned("pruning.studentLayers=3")).isEqualTo(pruned());
    assertThat(pruned("pruning.method=tinybert"))
        .isNotEqualTo(pruned())
        .isNotEqualTo(pruned("pruning.method=tinybert", "pruning.studentLayers=3"));
  }

  private static String pruned(String... assignments) {
    return RunDirectory.configHash(config(assignments), "data", "parent");
  }

  private static RunConfig config(String... assignments) {
    return new RunConfigReader(LocalStorage.INSTANCE)
        .read(null, "tiny", new Overrides(Arrays.asList(assignments)));
  }
}
