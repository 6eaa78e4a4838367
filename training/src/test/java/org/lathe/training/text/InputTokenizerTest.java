package org.lathe.training.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;

class InputTokenizerTest {
  private static final long SEED = Long.getLong("seed", 29);
  private static final List<String> VOCABULARY =
      List.of(
          "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "e", "ab", "aba", "##a", "##b",
          "##ab", "##e", ".", "!", "中", "ea");
  private static final int BEGIN = 2;
  private static final int SEPARATOR = 3;

  /** One token of the reference: its id and where it stands in the text. */
  private record Piece(int id, int start, int end) {}

  @Test
  void pairsAreCutLongestFirst() {
    Random random = new Random(SEED);
    int maxLength = 17;
    try (InputTokenizer tokenizer = InputTokenizer.forTexts(uncased(), maxLength)) {
      for (int i = 0; i < 500; i++) {
        String a = text(random, 24);
        String b = text(random, 24);
        List<Piece> first = pieces(a);
        List<Piece> second = pieces(b);
        int numFirst = first.size();
        int numSecond = second.size();
        while (numFirst + numSecond > maxLength - 3) {
          boolean fromFirst =
              numFirst == numSecond ? first.size() <= second.size() : numFirst > numSecond;
          numFirst -= fromFirst ? 1 : 0;
          numSecond -= fromFirst ? 0 : 1;
        }
        List<Integer> ids = new ArrayList<>(List.of(BEGIN));
        first.subList(0, numFirst).forEach(piece -> ids.add(piece.id));
        ids.add(SEPARATOR);
        second.subList(0, numSecond).forEach(piece -> ids.add(piece.id));
        ids.add(SEPARATOR);
        int split = numFirst + 2;
        EncodedInput input = tokenizer.encode(a, b);
        assertThat(input.ids())
            .as("-Dseed=%d: <%s> <%s>", SEED, a, b)
            .containsExactly(ids.stream().mapToInt(Integer::intValue).toArray());
        assertThat(input.tokenTypes())
            .isEqualTo(IntStream.range(0, ids.size()).map(t -> t < split ? 0 : 1).toArray());
      }
    }
  }

  @Test
  void singleTextsAreCutAtTheirEnd() {
    try (InputTokenizer tokenizer = InputTokenizer.forTexts(uncased(), 6)) {
      assertThat(tokenizer.encode("ABA ábe. b", null).ids())
          .containsExactly(BEGIN, 9, 8, 13, 14, SEPARATOR);
      assertThat(tokenizer.encode("ABA", null).tokenTypes()).containsExactly(0, 0, 0);
      assertThat(tokenizer.encode("", null).ids()).containsExactly(BEGIN, SEPARATOR);
      assertThat(tokenizer.encode("", "").ids()).containsExactly(BEGIN, SEPARATOR, SEPARATOR);
      // a lone surrogate becomes U+FFFD, which BERT's cleaning takes out
      assertThat(tokenizer.encode("a\uD800b", null).ids()).containsExactly(BEGIN, 8, SEPARATOR);
      assertThat(tokenizer.maxLength()).isEqualTo(6);
    }
  }

  @Test
  void longerInputsThanTheLibrarysDefault() {
    try (InputTokenizer tokenizer = InputTokenizer.forTexts(uncased(), 700)) {
      assertThat(tokenizer.encode("a ".repeat(650), null).ids()).hasSize(652);
      assertThat(tokenizer.encode("a ".repeat(900), null).ids()).hasSize(700);
    }
  }

  @Test
  void casedVocabulariesKeepCaseAndAccents() {
    TokenizerDefinition cased =
        TokenizerDefinition.fromVocabulary(
            List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "A", "a", "é"), false);
    try (InputTokenizer tokenizer = InputTokenizer.forTexts(cased, 9)) {
      assertThat(tokenizer.encode("A a é e", null).ids()).containsExactly(2, 4, 5, 6, 1, 3);
    }
  }

  @Test
  void windowsOverlapByTheStrideAndKnowTheirPlaces() {
    Random random = new Random(SEED + 1);
    int maxLength = 19;
    int stride = 4;
    int maxQuestion = 6;
    try (InputTokenizer tokenizer =
        InputTokenizer.forWindows(uncased(), maxLength, stride, maxQuestion)) {
      for (int i = 0; i < 300; i++) {
        String question = text(random, 14);
        String context = text(random, 90);
        List<Piece> asked = pieces(question);
        asked = asked.subList(0, Math.min(maxQuestion, asked.size()));
        List<Piece> all = pieces(context);
        int room = maxLength - 3 - asked.size();
        List<EncodedWindow> windows = tokenizer.windows(question, context);
        int window = 0;
        for (int from = 0; ; from += room - stride) {
          List<Piece> part = all.subList(from, Math.min(all.size(), from + room));
          assertWindow(windows.get(window++), asked, part, context);
          if (from + room >= all.size()) {
            break;
          }
        }
        assertThat(windows).as("-Dseed=%d: <%s> <%s>", SEED, question, context).hasSize(window);
      }
    }
  }

  private static void assertWindow(
      EncodedWindow window, List<Piece> question, List<Piece> part, String context) {
    int first = question.size() + 2;
    int length = first + part.size() + 1;
    int[] ids = new int[length];
    int[] types = new int[length];
    int[] starts = new int[length];
    int[] ends = new int[length];
    Arrays.fill(starts, -1);
    Arrays.fill(ends, -1);
    Arrays.fill(types, first, length, 1);
    ids[0] = BEGIN;
    ids[first - 1] = SEPARATOR;
    ids[length - 1] = SEPARATOR;
    for (int i = 0; i < question.size(); i++) {
      ids[i + 1] = question.get(i).id;
    }
    for (int i = 0; i < part.size(); i++) {
      ids[first + i] = part.get(i).id;
      starts[first + i] = part.get(i).start;
      ends[first + i] = part.get(i).end;
    }
    assertThat(window.input().ids()).as(context).isEqualTo(ids);
    assertThat(window.input().tokenTypes()).isEqualTo(types);
    assertThat(window.starts()).as(context).isEqualTo(starts);
    assertThat(window.ends()).as(context).isEqualTo(ends);
  }

  @Test
  void robertaPairsAndPlacesOfBytes() throws Exception {
    String plainJson = BytePairTrainer.train(List.of(TextSamples.CODE), 400);
    TokenizerDefinition definition = TokenizerDefinition.fromJson(robertaJson(plainJson));
    int begin = definition.tokenId("<s>").orElseThrow();
    int end = definition.tokenId("</s>").orElseThrow();
    assertThat(definition.padId()).isEqualTo(definition.tokenId("<pad>").orElseThrow());
    assertThat(definition.vocabularySize()).isEqualTo(end + 1);
    String a = "return total;";
    String b = " count 😀 = 0;";
    try (HfTokenizer plain = HfTokenizer.fromJson(plainJson);
        InputTokenizer texts = InputTokenizer.forTexts(definition, 60);
        InputTokenizer windows = InputTokenizer.forWindows(definition, 60, 8, 20)) {
      EncodedInput pair = texts.encode(a, b);
      int[] expected =
          joined(
              new int[] {begin},
              plain.encode(a),
              new int[] {end, end},
              plain.encode(b),
              new int[] {end});
      assertThat(pair.ids()).containsExactly(expected);
      assertThat(pair.tokenTypes()).containsOnly(0);
      assertThat(texts.encode(a, null).ids())
          .containsExactly(joined(new int[] {begin}, plain.encode(a), new int[] {end}));

      EncodedWindow window = windows.windows(a, b).get(0);
      assertThat(window.input().ids()).containsExactly(expected);
      // the smile is no token of its own: all its bytes share its place
      int place = b.indexOf("😀");
      int[] bytes =
          IntStream.range(0, window.ends().length)
              .filter(token -> window.ends()[token] == place + 2)
              .toArray();
      assertThat(bytes).hasSizeGreaterThan(1);
      assertThat(IntStream.of(bytes).map(token -> window.starts()[token])).containsOnly(place);
      // a space of its own is trimmed to nothing, at the begin of what follows
      assertThat(window.starts()[bytes[0] - 1]).isEqualTo(place);
      assertThat(window.ends()[bytes[0] - 1]).isEqualTo(place);
      assertThat(window.ends()[window.ends().length - 2]).isEqualTo(b.length());
    }
  }

  @Test
  void settingsOfTheDefinitionDoNotCount() throws Exception {
    ObjectNode root = (ObjectNode) new ObjectMapper().readTree(uncased().json());
    root.putObject("truncation")
        .put("max_length", 4)
        .put("strategy", "LongestFirst")
        .put("stride", 0);
    ObjectNode padding = root.putObject("padding").put("direction", "Right");
    padding.putObject("strategy").put("Fixed", 20);
    padding.putNull("pad_to_multiple_of").put("pad_id", 4).put("pad_type_id", 0);
    padding.put("pad_token", "[MASK]");
    TokenizerDefinition definition = TokenizerDefinition.fromJson(root.toString());
    assertThat(definition.padId()).isEqualTo(4);
    try (InputTokenizer tokenizer = InputTokenizer.forTexts(definition, 12)) {
      assertThat(tokenizer.encode("a b a b a", null).ids()).hasSize(7);
    }
  }

  @Test
  void whatWouldEndTheProcessIsRefused() {
    TokenizerDefinition definition = uncased();
    assertThatThrownBy(() -> InputTokenizer.forTexts(definition, 4))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("maxLength is 4; expected 5");
    assertThatThrownBy(() -> InputTokenizer.forWindows(definition, 12, 4, 5))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("maxLength is 12; expected 13");
    assertThatThrownBy(() -> InputTokenizer.forTexts(definition, InputTokenizer.MAX_LENGTH + 1))
        .isInstanceOf(ConfigException.class);
    try (InputTokenizer tight = InputTokenizer.forTexts(definition, 5)) {
      assertThat(tight.encode("a b a", "a b a").ids()).containsExactly(2, 5, 3, 5, 3);
    }
    try (InputTokenizer tight = InputTokenizer.forWindows(definition, 13, 4, 5)) {
      assertThat(tight.windows("a ".repeat(30), "b ".repeat(30))).hasSize(26);
      assertThat(tight.windows("a".repeat(200), "")).hasSize(1);
    }
  }

  @Test
  void anyTextHasPlacesWithinIt() {
    try (InputTokenizer tokenizer = InputTokenizer.forWindows(uncased(), 32, 8, 8)) {
      for (String text : TextSamples.mixed(new Random(SEED), 300)) {
        for (EncodedWindow window : tokenizer.windows(text, text)) {
          for (int i = 0; i < window.starts().length; i++) {
            assertThat(window.starts()[i]).isBetween(-1, text.length());
            assertThat(window.ends()[i]).isBetween(window.starts()[i], text.length());
          }
        }
      }
    }
  }

  @Test
  void refusesDefinitionsWithoutSpecialTokens() {
    String json = BytePairTrainer.train(List.of(TextSamples.CODE), 300);
    TokenizerDefinition definition = TokenizerDefinition.fromJson(json);
    assertThatThrownBy(() -> InputTokenizer.forTexts(definition, 12))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("no special tokens");
    assertThatThrownBy(definition::padId).isInstanceOf(CorruptFileException.class);
  }

  private static TokenizerDefinition uncased() {
    return TokenizerDefinition.fromVocabulary(VOCABULARY, true);
  }

  private static String text(Random random, int maxCharacters) {
    String[] characters = {"a", "b", "A", "é", "E", " ", " ", "\t", ".", "!", "中", "😀", "a", "b"};
    StringBuilder text = new StringBuilder();
    int length = random.nextInt(maxCharacters + 1);
    for (int i = 0; i < length; i++) {
      text.append(characters[random.nextInt(characters.length)]);
    }
    return text.toString();
  }

  /** BERT's basic tokenizer and greedy pieces, character by character. */
  private static List<Piece> pieces(String text) {
    List<Piece> pieces = new ArrayList<>();
    int start = 0;
    while (start < text.length()) {
      int codePoint = text.codePointAt(start);
      int end = start + Character.charCount(codePoint);
      if (!Character.isWhitespace(codePoint)) {
        while (!isAlone(codePoint) && end < text.length() && !isBreak(text.codePointAt(end))) {
          end += Character.charCount(text.codePointAt(end));
        }
        addWord(text, start, end, pieces);
      }
      start = end;
    }
    return pieces;
  }

  private static boolean isBreak(int codePoint) {
    return Character.isWhitespace(codePoint) || isAlone(codePoint);
  }

  private static boolean isAlone(int codePoint) {
    return codePoint == '.' || codePoint == '!' || codePoint == '中';
  }

  private static void addWord(String text, int start, int end, List<Piece> pieces) {
    List<Piece> word = new ArrayList<>();
    int from = start;
    while (from < end) {
      int to = end;
      int id = -1;
      while (to > from && id < 0) {
        String part = (from == start ? "" : "##") + plain(text.substring(from, to));
        id = VOCABULARY.indexOf(part);
        to -= id < 0 ? 1 : 0;
      }
      if (id < 0) {
        pieces.add(new Piece(1, start, end));
        return;
      }
      word.add(new Piece(id, from, to));
      from = to;
    }
    pieces.addAll(word);
  }

  private static String plain(String text) {
    return Normalizer.normalize(text, Normalizer.Form.NFD)
        .replaceAll("\\p{Mn}", "")
        .toLowerCase(Locale.ROOT);
  }

  private static String robertaJson(String json) throws Exception {
    ObjectNode root = (ObjectNode) new ObjectMapper().readTree(json);
    ObjectNode vocabulary = (ObjectNode) root.at("/model/vocab");
    ArrayNode added = root.putArray("added_tokens");
    for (String token : List.of("<s>", "<pad>", "</s>")) {
      int id = vocabulary.size() + added.size();
      added
          .addObject()
          .put("id", id)
          .put("content", token)
          .put("single_word", false)
          .put("lstrip", false)
          .put("rstrip", false)
          .put("normalized", false)
          .put("special", true);
    }
    ObjectNode processor = root.putObject("post_processor").put("type", "RobertaProcessing");
    processor.putArray("sep").add("</s>").add(vocabulary.size() + 2);
    processor.putArray("cls").add("<s>").add(vocabulary.size());
    processor.put("trim_offsets", true).put("add_prefix_space", false);
    return root.toString();
  }

  private static int[] joined(int[]... parts) {
    return Arrays.stream(parts).flatMapToInt(Arrays::stream).toArray();
  }
}
