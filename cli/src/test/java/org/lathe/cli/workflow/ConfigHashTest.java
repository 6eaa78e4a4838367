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

  @Test
  void tellsKeySizesApart() {
    String four = RunDirectory.configHash(config("memory.keySize=4"), "data", "");
    assertThat(four)
        .isNotEqualTo(RunDirectory.configHash(config(), "data", ""))
        .isNotEqualTo(RunDirectory.configHash(config("memory.keySize=5"), "data", ""));
  }

  private static RunConfig config(String... assignments) {
    return new RunConfigReader(LocalStorage.INSTANCE)
        .read(null, "tiny", new Overrides(Arrays.asList(assignments)));
  }
}
