package org.lathe.pruning.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.graphs.errors.FormatTooNewException;
import org.lathe.pruning.MemoryStorage;
import org.lathe.pruning.gates.GateValues;

class PruningPlanTest {
  private static final TransformerConfig CONFIG = TransformerConfig.uniform(11, 8, 2, 4, 6, 5);
  private static final Path FILE = Path.of("run", "plan.json");

  private final MemoryStorage storage = new MemoryStorage();
  private PruningPlan plan;
  private String text;

  @BeforeEach
  void writePlan() throws Exception {
    GateValues gates = GateValues.allOpen(CONFIG);
    gates.hidden()[3] = 0;
    gates.hidden()[4] = 0.7f;
    gates.heads()[0][1] = 0;
    gates.heads()[1] = new float[4]; // no head left: the layer closes
    gates.intermediate()[0][0] = 1e-5f;
    gates.intermediate()[1][5] = 0;
    gates.feedForwardLayer()[0] = 0;
    plan = PruningPlan.from(CONFIG, gates);
    PruningPlanFile.write(storage, FILE, plan);
    text = new String(storage.get(FILE), StandardCharsets.UTF_8);
  }

  @Test
  void keepsWhatIsOpen() {
    assertThat(plan.keptHidden()).containsExactly(0, 1, 2, 4, 5, 6, 7);
    assertThat(plan.layers().get(0).keptHeads()).containsExactly(0, 2, 3);
    assertThat(plan.layers().get(0).keptIntermediate()).isEmpty();
    assertThat(plan.gates().attentionLayer()).containsExactly(1, 0);
    assertThat(plan.slimConfig().blocks())
        .containsExactly(new BlockShape(3, 0), new BlockShape(0, 5));
    assertThat(plan.slimConfig().hiddenSize()).isEqualTo(7);
    assertThat(plan.slimConfig().headSize()).isEqualTo(2);
    // attention 3 (4 2 7 + 3 2) + 7, feed-forward 5 (2 7 + 1) + 7
    assertThat(plan.keptParameters()).isEqualTo(3 * (56 + 6) + 7 + 5 * 15 + 7);
  }

  @Test
  void survivesAFile() throws Exception {
    assertThat(PruningPlanFile.read(storage, FILE)).isEqualTo(plan);
    PruningPlanFile.write(storage, FILE, plan); // replaces
    assertThat(storage.numFiles()).isEqualTo(1);
  }

  @Test
  void noHiddenDimensionLeftIsAnError() {
    GateValues gates = GateValues.allOpen(CONFIG);
    java.util.Arrays.fill(gates.hidden(), 0);
    assertThatThrownBy(() -> PruningPlan.from(CONFIG, gates))
        .isInstanceOf(FailedException.class)
        .hasMessageContaining("8 hidden dimensions");
  }

  @Test
  void contradictoryPartsAreRefused() {
    assertThatThrownBy(
            () ->
                new PruningPlan(
                    CONFIG,
                    List.of(0, 1, 2, 4, 5, 6, 8),
                    plan.layers(),
                    plan.gates(),
                    plan.fullParameters(),
                    plan.keptParameters(),
                    plan.sparsity()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("keptHidden");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"keptHidden\" : [ 0, 1 | \"keptHidden\" : [ 1, 0",
        "\"keptHidden\" : [ 0, 1 | \"keptHidden\" : [ 0, 0, 1",
        "\"keptHidden\" : [ 0, 1 | \"keptHidden\" : [ -1, 0, 1",
        "\"keptHidden\" : [ 0, 1 | \"keptHidden\" : [ 0.5, 1",
        "\"keptHidden\" : [ 0, 1 | \"keptHidden\" : [ \"0\", 1",
        "\"keptHeads\" : [ 0, 2, 3 ] | \"keptHeads\" : [ 0, 2, 2000000000 ]",
        "\"keptHeads\" : [ 0, 2, 3 ] | \"keptHeads\" : null",
        "\"hiddenSize\" : 8 | \"hiddenSize\" : 2000000000",
        "\"hiddenSize\" : 8 | \"hiddenSize\" : 8, \"hiddenSize\" : 8",
        "\"hiddenSize\" : 8 | \"hiddenSize\" : 8, \"extra\" : 1",
        "0.7 | 7.5",
        "0.7 | NaN",
        "0.7 | 0.71",
        "\"attentionLayer\" : [ 1.0, 0.0 ] | \"attentionLayer\" : [ 1.0, 1.0 ]",
        "\"keptParameters\" : | \"keptParameters\" : 1",
        "lathe-pruning-plan | lathe-latency-table",
        "\"version\" : 1 | \"version\" : 0",
      })
  void damagedPlansAreRefused(String part, String replacement) {
    assertThat(text).contains(part);
    put(text.replaceFirst(java.util.regex.Pattern.quote(part), replacement));
    assertThatThrownBy(() -> PruningPlanFile.read(storage, FILE))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("plan.json");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "null", "[]", "{}", "{\"format\":", "42", "\u0000\u0001"})
  void foreignFilesAreRefused(String foreign) {
    put(foreign);
    assertThatThrownBy(() -> PruningPlanFile.read(storage, FILE))
        .isInstanceOf(CorruptFileException.class);
  }

  @Test
  void truncatedAndDeepFilesAreRefused() {
    for (int length = 0; length < text.length() - 1; length += 97) {
      put(text.substring(0, length));
      assertThatThrownBy(() -> PruningPlanFile.read(storage, FILE))
          .isInstanceOf(CorruptFileException.class);
    }
    put(text + "{}");
    assertThatThrownBy(() -> PruningPlanFile.read(storage, FILE))
        .isInstanceOf(CorruptFileException.class);
    put("[".repeat(100_000));
    assertThatThrownBy(() -> PruningPlanFile.read(storage, FILE))
        .isInstanceOf(CorruptFileException.class);
  }

  @Test
  void newerVersionsAreNamed() {
    put(text.replaceFirst("\"version\" : 1", "\"version\" : 2"));
    assertThatThrownBy(() -> PruningPlanFile.read(storage, FILE))
        .isInstanceOf(FormatTooNewException.class)
        .hasMessageContaining("version 2");
  }

  private void put(String content) {
    storage.put(FILE, content.getBytes(StandardCharsets.UTF_8));
  }
}
