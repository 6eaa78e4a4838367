package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.memory.ExternalMixing;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.Mixing;

class MixingFactsTest {
  @Test
  void comeBackAsTheyWere() {
    for (MemoryMixing mixing :
        List.of(
            MemoryMixing.PUBLISHED,
            MemoryMixing.externalOnly(0.7, 0.25),
            MemoryMixing.recentOnly(Mixing.linear(1.5, 0.3)),
            new MemoryMixing(Mixing.shared(0.5), ExternalMixing.linear(2, 0.1)))) {
      assertThat(MixingFacts.parse(MixingFacts.of(mixing), "f")).isEqualTo(mixing);
    }
  }

  /** Files written before there was external memory. */
  @Test
  void plainMixingsAreRead() {
    assertThat(
            MixingFacts.parse(
                Map.of("form", "linear", "temperature", 0.5, "interpolation", 0.2), "f"))
        .isEqualTo(MemoryMixing.recentOnly(Mixing.linear(0.5, 0.2)));
  }

  @Test
  void whatIsNoMixingIsRefused() {
    Map<String, Object> plain = Map.of("form", "linear", "temperature", 1, "interpolation", 0.1);
    for (Object wrong :
        List.of(
            "shared",
            Map.of("form", "linear"),
            Map.of("form", "round", "temperature", 1, "interpolation", 0.1),
            Map.of("form", "linear", "temperature", -1, "interpolation", 0.1),
            Map.of("form", "linear", "temperature", "1", "interpolation", 0.1),
            Map.of("form", "linear", "temperature", 1, "interpolation", 0.1, "external", 3),
            Map.of(
                "form",
                "linear",
                "temperature",
                1,
                "interpolation",
                0.1,
                "external",
                Map.of("shared", true, "temperature", 1, "interpolation", 0.1)))) {
      assertThatThrownBy(() -> MixingFacts.parse(wrong, "evaluation.json"))
          .as("%s", wrong)
          .isInstanceOf(CorruptFileException.class)
          .hasMessageContaining("evaluation.json holds");
    }
    assertThat(MixingFacts.parse(plain, "f").recent().temperature()).isEqualTo(1);
  }
}
