package org.lathe.training.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.regex.Matcher;
import org.junit.jupiter.api.Test;

class BytePairTrainerTest {
  @Test
  void learnsTheMergesOfACountEverythingAgainReference() throws Exception {
    Random random = new Random(5);
    for (int round = 0; round < 20; round++) {
      // a tiny alphabet makes overlapping pairs and equal counts frequent
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < 400; i++) {
        text.append("aaab \n".charAt(random.nextInt(6)));
      }
      JsonNode model =
          new ObjectMapper()
              .readTree(BytePairTrainer.train(List.of(text.toString()), 290))
              .get("model");
      List<String> merges = new ArrayList<>();
      model.get("merges").forEach(merge -> merges.add(merge.asText()));
      assertThat(merges).isEqualTo(referenceMerges(text.toString(), 290));
    }
  }

  @Test
  void isDeterministicAndStopsWhenNothingRepeats() {
    List<String> texts = List.of(TextSamples.CODE);
    assertThat(BytePairTrainer.train(texts, 400)).isEqualTo(BytePairTrainer.train(texts, 400));
    try (HfTokenizer small = HfTokenizer.fromJson(BytePairTrainer.train(List.of("abcd"), 1000))) {
      assertThat(small.vocabularySize()).isEqualTo(256);
    }
    try (HfTokenizer exact = HfTokenizer.fromJson(BytePairTrainer.train(texts, 300))) {
      assertThat(exact.vocabularySize()).isEqualTo(300);
    }
  }

  @Test
  void refusesFewerEntriesThanBytes() {
    assertThatThrownBy(() -> BytePairTrainer.train(List.of(), 255))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("256");
  }

  private static List<String> referenceMerges(String text, int vocabularySize) {
    List<List<Integer>> words = new ArrayList<>();
    Matcher matcher = ByteLevel.PATTERN.matcher(text);
    while (matcher.find()) {
      List<Integer> word = new ArrayList<>();
      for (byte b : matcher.group().getBytes(StandardCharsets.UTF_8)) {
        word.add(b & 0xFF);
      }
      if (word.size() <= BytePairTrainer.MAX_PRETOKEN_BYTES) {
        words.add(word);
      }
    }
    List<String> strings = new ArrayList<>();
    for (int b = 0; b < 256; b++) {
      strings.add(String.valueOf(ByteLevel.character(b)));
    }
    List<String> merges = new ArrayList<>();
    while (strings.size() < vocabularySize) {
      Map<Long, Integer> counts = new TreeMap<>();
      for (List<Integer> word : words) {
        for (int i = 0; i + 1 < word.size(); i++) {
          counts.merge(((long) word.get(i) << 32) | word.get(i + 1), 1, Integer::sum);
        }
      }
      long best = -1;
      int bestCount = 1;
      for (Map.Entry<Long, Integer> entry : counts.entrySet()) {
        if (entry.getValue() > bestCount) {
          best = entry.getKey();
          bestCount = entry.getValue();
        }
      }
      if (best < 0) {
        break;
      }
      int left = (int) (best >>> 32);
      int right = (int) best;
      String joined = strings.get(left) + strings.get(right);
      merges.add(strings.get(left) + ' ' + strings.get(right));
      if (!strings.contains(joined)) {
        strings.add(joined);
      }
      int id = strings.indexOf(joined);
      for (List<Integer> word : words) {
        for (int i = 0; i + 1 < word.size(); i++) {
          if (word.get(i) == left && word.get(i + 1) == right) {
            word.set(i, id);
            word.remove(i + 1);
          }
        }
      }
    }
    return merges;
  }
}
