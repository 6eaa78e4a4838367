package org.lathe.training.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.util.Utils;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.errors.CorruptFileException;

class HfTokenizerTest {
  private static final long SEED = Long.getLong("seed", 17);
  private static String json;
  private static HfTokenizer tokenizer;

  @BeforeAll
  static void train() {
    Random random = new Random(SEED);
    List<String> texts = new ArrayList<>(List.of(TextSamples.CODE));
    for (int i = 0; i < 50; i++) {
      texts.add(TextSamples.unicode(random, 200));
    }
    json = BytePairTrainer.train(texts, 600);
    tokenizer = HfTokenizer.fromJson(json);
  }

  @AfterAll
  static void close() {
    tokenizer.close();
  }

  /** What its library asks before it reports its use, or fetches anything. */
  @Test
  void opensNoConnection() {
    assertThat(Utils.isOfflineMode()).isTrue();
    assertThat(Utils.getEnvOrSystemProperty("OPT_OUT_TRACKING")).isEqualTo("true");
  }

  @Test
  void givesTheIdsOfAPlainJavaEncoder() throws Exception {
    ReferenceEncoder reference = new ReferenceEncoder(json);
    for (String text : TextSamples.mixed(new Random(SEED), 2000)) {
      assertThat(tokenizer.encode(text))
          .as("-Dseed=%d: %s", SEED, text)
          .isEqualTo(reference.encode(text));
    }
  }

  @Test
  void decodingRestoresTheText() {
    for (String text : TextSamples.mixed(new Random(SEED + 1), 10_000)) {
      assertThat(tokenizer.decode(tokenizer.encode(text))).as("-Dseed=%d", SEED).isEqualTo(text);
    }
  }

  @Test
  void longLinesAndEmptyText() {
    String line = "ab 1".repeat(50_000);
    assertThat(tokenizer.decode(tokenizer.encode(line))).isEqualTo(line);
    assertThat(tokenizer.encode("")).isEmpty();
    assertThat(tokenizer.decode(new int[0])).isEmpty();
  }

  @Test
  void loneSurrogatesCountAsReplacementCharacters() {
    assertThat(tokenizer.decode(tokenizer.encode("a\uD800b\uDC00"))).isEqualTo("a\uFFFDb\uFFFD");
  }

  @Test
  void lineBreakAndIndentationMergeIntoOneToken() {
    assertThat(tokenizer.encode("\n    ")).hasSize(1);
    assertThat(tokenizer.encode(" return")).hasSizeLessThan(4);
  }

  @Test
  void refusesWhatIsNoTokenizer() throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode badId = (ObjectNode) mapper.readTree(json);
    ((ObjectNode) badId.at("/model/vocab")).put("a", -5);
    ObjectNode badMerge = (ObjectNode) mapper.readTree(json);
    ((ObjectNode) badMerge.get("model")).putArray("merges").add("no such");
    for (String bad :
        List.of(
            "",
            "{",
            "[]",
            "{\"model\":{}}",
            "{\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":1.5}}}",
            "{\"model\":{\"type\":\"nothing\",\"vocab\":{\"a\":0}}}",
            badId.toString(),
            badMerge.toString(),
            "[".repeat(100_000),
            json.substring(0, json.length() / 2))) {
      assertThatThrownBy(() -> HfTokenizer.fromJson(bad).close())
          .as(bad.substring(0, Math.min(60, bad.length())))
          .isInstanceOf(CorruptFileException.class)
          .hasMessageContaining("tokenizer.json");
    }
  }

  /** Byte-pair encoding as it is defined: join the pair of lowest rank until none is left. */
  private static final class ReferenceEncoder {
    private final Map<String, Integer> ids = new HashMap<>();
    private final Map<String, Integer> ranks = new HashMap<>();
    private final Pattern pattern;

    ReferenceEncoder(String json) throws Exception {
      JsonNode root = new ObjectMapper().readTree(json);
      root.at("/model/vocab").properties().forEach(e -> ids.put(e.getKey(), e.getValue().asInt()));
      root.at("/model/merges").forEach(merge -> ranks.put(merge.asText(), ranks.size()));
      pattern = Pattern.compile(root.at("/pre_tokenizer/pretokenizers/0/pattern/Regex").asText());
    }

    int[] encode(String text) {
      List<Integer> tokens = new ArrayList<>();
      Matcher matcher = pattern.matcher(text);
      int end = 0;
      while (matcher.find()) {
        assertThat(matcher.start()).isEqualTo(end);
        end = matcher.end();
        encodePretoken(ByteLevel.encode(matcher.group()), tokens);
      }
      assertThat(end).isEqualTo(text.length());
      return tokens.stream().mapToInt(Integer::intValue).toArray();
    }

    private void encodePretoken(String pretoken, List<Integer> tokens) {
      List<String> parts = new ArrayList<>(List.of(pretoken.split("")));
      while (true) {
        int best = -1;
        int bestRank = Integer.MAX_VALUE;
        for (int i = 0; i + 1 < parts.size(); i++) {
          int rank = ranks.getOrDefault(parts.get(i) + ' ' + parts.get(i + 1), Integer.MAX_VALUE);
          if (rank < bestRank) {
            best = i;
            bestRank = rank;
          }
        }
        if (best < 0) {
          break;
        }
        parts.set(best, parts.get(best) + parts.remove(best + 1));
      }
      parts.forEach(part -> tokens.add(ids.get(part)));
    }
  }
}
