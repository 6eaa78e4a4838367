package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.evaluation.SearchPolicy;
import org.lathe.training.memory.AdaptiveInterpolation;
import org.lathe.training.memory.ExternalMixing;
import org.lathe.training.memory.InterpolationBuckets;
import org.lathe.training.memory.InterpolationBuckets.Feature;
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

  @Test
  void bucketsAndSearchesComeBackThroughJson() throws IOException {
    AdaptiveInterpolation adaptive =
        new AdaptiveInterpolation(
            new InterpolationBuckets(Feature.BEST_SCORE, List.of(-2.5, 1e-3)),
            List.of(0.0, 0.1, 0.35));
    MemoryMixing mixing =
        new MemoryMixing(Mixing.shared(0.5), new ExternalMixing(true, 2, adaptive));
    for (SearchPolicy search :
        List.of(
            SearchPolicy.EVERYWHERE,
            new SearchPolicy(-0.125, false),
            new SearchPolicy(-0.1, true),
            new SearchPolicy(Double.POSITIVE_INFINITY, true))) {
      for (MemoryMixing one : List.of(mixing, MemoryMixing.PUBLISHED)) {
        TunedMemory tuned = new TunedMemory(one, search);
        ObjectMapper mapper = new ObjectMapper();
        Map<?, ?> read =
            mapper.readValue(mapper.writeValueAsString(MixingFacts.of(tuned)), Map.class);
        assertThat(MixingFacts.parseTuned(read, "f")).isEqualTo(tuned);
      }
    }
    // as files were before there was more than one way to retrieve
    assertThat(MixingFacts.of(TunedMemory.of(MemoryMixing.PUBLISHED)))
        .isEqualTo(
            Map.of(
                "form",
                "shared",
                "temperature",
                1.25,
                "interpolation",
                0.0,
                "external",
                Map.of("shared", true, "temperature", 10.5 / 32, "interpolation", 0.3)));
  }

  @Test
  void brokenBucketsAndSearchesAreRefused() {
    Map<String, Object> buckets =
        Map.of(
            "shared",
            false,
            "temperature",
            1,
            "interpolation",
            List.of(0.1, 0.2),
            "feature",
            "confidence",
            "thresholds",
            List.of(-1));
    assertThat(parse("external", buckets)).isEqualTo(2);
    for (Map.Entry<String, Object> wrong :
        List.<Map.Entry<String, Object>>of(
            Map.entry("feature", "size"),
            Map.entry("feature", 3),
            Map.entry("thresholds", List.of(-1, -2)),
            Map.entry("thresholds", List.of()),
            Map.entry("interpolation", List.of(0.1, "0.2")),
            Map.entry("interpolation", List.of(0.1, 2)))) {
      Map<String, Object> broken = new LinkedHashMap<>(buckets);
      broken.put(wrong.getKey(), wrong.getValue());
      assertThatThrownBy(() -> parse("external", broken))
          .as("%s", wrong)
          .isInstanceOf(CorruptFileException.class)
          .hasMessageContaining("evaluation.json holds");
    }
    for (Object search : List.of(3, Map.of(), Map.of("pointers", true, "skipAbove", "x"))) {
      assertThatThrownBy(() -> parse("search", search)).isInstanceOf(CorruptFileException.class);
    }
  }

  /** Number of buckets of a mixing with this key. */
  private static int parse(String key, Object value) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("form", "shared");
    facts.put("temperature", 1);
    facts.put("interpolation", 0);
    facts.put(key, value);
    return MixingFacts.parseTuned(facts, "evaluation.json")
        .mixing()
        .external()
        .interpolation()
        .buckets()
        .size();
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
