package org.lathe.training.similarity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.data.ProgressListener;
import org.lathe.training.data.TokenFile;
import org.lathe.training.data.TokenFileWriter;
import org.lathe.training.files.FramedFileWriter;
import org.lathe.training.files.LocalStorage;

class SegmentOrderTest {
  private static final int T = 16;
  private static final int TOPICS = 5;
  private static final int WORDS_PER_TOPIC = 30;

  @TempDir Path directory;

  @Test
  void aChainGoesToTheBestUnusedHitAndElseToTheNextOfTheShuffledList() {
    // a path 0-1-2-3 whatever the start; 4 is nobody's hit and has none
    List<int[]> hits =
        List.of(new int[] {1}, new int[] {0, 2}, new int[] {1, 3}, new int[] {2}, new int[0]);
    for (long seed = 0; seed < 30; seed++) {
      int[] shuffled = SegmentOrder.shuffled(5, new Random(seed));
      SegmentOrder order = SegmentOrder.chain(hits, seed);
      if (shuffled[0] == 0 || shuffled[0] == 3) {
        int[] path = shuffled[0] == 0 ? new int[] {0, 1, 2, 3, 4} : new int[] {3, 2, 1, 0, 4};
        assertThat(order.segments()).isEqualTo(path);
        assertThat(order.hitRate()).isEqualTo(0.75);
      }
      assertThat(order.segments()).isEqualTo(byHand(hits, shuffled));
    }
  }

  /** The chain again, with lists. */
  private static int[] byHand(List<int[]> hits, int[] shuffled) {
    LinkedHashSet<Integer> order = new LinkedHashSet<>();
    int current = shuffled[0];
    order.add(current);
    while (order.size() < hits.size()) {
      int from = current;
      current =
          IntStream.concat(IntStream.of(hits.get(from)), IntStream.of(shuffled))
              .filter(i -> !order.contains(i))
              .findFirst()
              .orElseThrow();
      order.add(current);
    }
    return order.stream().mapToInt(Integer::intValue).toArray();
  }

  @Test
  void withoutHitsTheOrderIsTheShuffledListAndTheRateZero() {
    SegmentOrder order = SegmentOrder.chain(Collections.nCopies(40, new int[0]), 3);
    assertThat(order.segments()).isEqualTo(SegmentOrder.shuffled(40, new Random(3)));
    assertThat(order.hitRate()).isZero();
  }

  @Test
  void neighboursShareAPlantedTopic() throws Exception {
    try (TokenFile tokens = topics(400)) {
      SegmentOrder order =
          SegmentOrder.of(tokens, T, SimilarityConfig.DEFAULT, 1, 2, ProgressListener.NONE);
      int same = 0;
      for (int i = 1; i < 400; i++) {
        same +=
            topic(tokens, order.segments()[i]) == topic(tokens, order.segments()[i - 1]) ? 1 : 0;
      }
      // chance alone would give a fifth
      assertThat(same / 399.0).isGreaterThan(0.85);
      assertThat(order.hitRate()).isGreaterThan(0.7);
      SegmentOrder again =
          SegmentOrder.of(
              tokens, T, new SimilarityConfig(0.9, 0.4, 20, 1024, 4), 1, 1, ProgressListener.NONE);
      assertThat(again.segments()).isEqualTo(order.segments());
    }
  }

  @Test
  void aTextShorterThanASegmentIsRefused() throws Exception {
    try (TokenFile tokens = topics(1)) {
      assertThatThrownBy(
              () ->
                  SegmentOrder.of(
                      tokens, T + 2, SimilarityConfig.DEFAULT, 1, 1, ProgressListener.NONE))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("has 17 tokens")
          .hasMessageContaining("need 19");
    }
  }

  @Test
  void aFileSavesTheSearchAndIsRefusedForOtherSettingsOrDamage() throws Exception {
    Path file = directory.resolve("similar.order");
    try (TokenFile tokens = topics(50)) {
      SegmentOrder made = readOrSearch(file, tokens, 1, ProgressListener.NONE);
      ProgressListener silent =
          (what, done, total) -> {
            throw new AssertionError("searched again");
          };
      SegmentOrder kept = readOrSearch(file, tokens, 1, silent);
      assertThat(kept.segments()).isEqualTo(made.segments());
      assertThat(kept.numFollowed()).isEqualTo(made.numFollowed());
      assertThatThrownBy(() -> readOrSearch(file, tokens, 2, silent))
          .isInstanceOf(CorruptFileException.class)
          .hasMessageContaining("other settings")
          .hasMessageContaining("delete it");
      byte[] bytes = Files.readAllBytes(file);
      for (int i = 0; i < bytes.length; i++) {
        byte[] damaged = bytes.clone();
        damaged[i] ^= 0x10;
        Files.write(file, damaged);
        assertThatThrownBy(() -> readOrSearch(file, tokens, 1, silent))
            .isInstanceOf(CorruptFileException.class);
      }
    }
  }

  @Test
  void aSoundFrameAroundANonsensicalOrderIsRefused() throws Exception {
    byte[] id = SegmentOrderFile.id("ab", T, SimilarityConfig.DEFAULT, 1);
    int[][] payloads = {
      {0, 0, 1}, {0, 0, 1, 1}, {0, 0, 1, 3}, {0, -1, 1, 0}, {3, 0, 1, 2}, {-1, 0, 1, 2}
    };
    for (int[] payload : payloads) {
      Path file = directory.resolve("order" + Arrays.toString(payload));
      try (var writer =
          new FramedFileWriter(LocalStorage.INSTANCE, file, SegmentOrderFile.KIND, 1, id)) {
        for (int value : payload) {
          writer.writeInt(value);
        }
        writer.finish();
      }
      assertThatThrownBy(() -> SegmentOrderFile.read(LocalStorage.INSTANCE, file, id, 3))
          .isInstanceOf(CorruptFileException.class)
          .hasMessageContaining(file.toString());
    }
  }

  @Test
  void theKeyDependsOnWhatDecidesTheOrderOnly() {
    byte[] id = SegmentOrderFile.id("ab", T, SimilarityConfig.DEFAULT, 1);
    assertThat(SegmentOrderFile.id("ab", T, new SimilarityConfig(0.9, 0.4, 20, 1024, 8), 1))
        .isEqualTo(id);
    assertThat(SegmentOrderFile.id("ac", T, SimilarityConfig.DEFAULT, 1)).isNotEqualTo(id);
    assertThat(SegmentOrderFile.id("ab", 8, SimilarityConfig.DEFAULT, 1)).isNotEqualTo(id);
    assertThat(SegmentOrderFile.id("ab", T, new SimilarityConfig(1, 0.4, 20, 1024, 1), 1))
        .isNotEqualTo(id);
    assertThat(SegmentOrderFile.id("ab", T, new SimilarityConfig(0.9, 0.4, 19, 1024, 1), 1))
        .isNotEqualTo(id);
  }

  private static SegmentOrder readOrSearch(
      Path file, TokenFile tokens, long seed, ProgressListener progress) {
    return SegmentOrderFile.readOrSearch(
        LocalStorage.INSTANCE, file, tokens, T, SimilarityConfig.DEFAULT, seed, 1, progress);
  }

  /** Segments of one random topic each: half its own words, half words of all topics. */
  private TokenFile topics(int segments) throws Exception {
    Random random = new Random(2);
    int[] tokens = new int[segments * T + 1];
    for (int i = 0; i < segments; i++) {
      int topic = random.nextInt(TOPICS);
      for (int j = 0; j < T; j++) {
        int word = topic * WORDS_PER_TOPIC + random.nextInt(WORDS_PER_TOPIC);
        boolean own = j % 2 == 0;
        tokens[i * T + j] = own ? word : TOPICS * WORDS_PER_TOPIC + random.nextInt(40);
      }
    }
    Path path = directory.resolve("tokens" + segments);
    try (TokenFileWriter writer =
        new TokenFileWriter(LocalStorage.INSTANCE, path, 1000, "ab".repeat(32))) {
      writer.add("all", tokens);
      writer.finish();
    }
    return TokenFile.open(LocalStorage.INSTANCE, path);
  }

  private static int topic(TokenFile tokens, int segment) {
    return tokens.get((long) segment * T) / WORDS_PER_TOPIC;
  }
}
