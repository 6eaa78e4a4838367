package org.lathe.training.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.errors.ConfigException;

final class VocabularySelectionTest {
  private static final String SEEN = "The unhappy dogs bark, unhappily";
  private static final String UNSEEN = "happy walking";

  private static TokenizerDefinition wordPiece() {
    List<String> tokens =
        new ArrayList<>(List.of("[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"));
    tokens.addAll(
        List.of("walking", "the", "un", "##happy", "##happily", "dogs", "dog", "happy", "bark"));
    for (char c = 'a'; c <= 'z'; c++) {
      tokens.add(String.valueOf(c));
      tokens.add("##" + c);
    }
    tokens.add(",");
    return TokenizerDefinition.fromVocabulary(tokens, true);
  }

  /** Bytes of "lower", "lowest", and merges in the order in which they were learned. */
  private static TokenizerDefinition bytePairs(boolean newer) {
    List<String> merges = List.of("l o", "lo w", "e r", "low er", "e s", "es t", "low est");
    List<String> tokens = new ArrayList<>(List.of("<s>", "<pad>", "</s>", "unused", "<unk>"));
    tokens.addAll(List.of("l", "o", "w", "e", "r", "s", "t"));
    merges.forEach(merge -> tokens.add(merge.replace(" ", "")));
    String vocabulary =
        String.join(
            ",",
            IntStream.range(0, tokens.size())
                .mapToObj(id -> "\"" + tokens.get(id) + "\":" + id)
                .toList());
    String pairs =
        String.join(
            ",",
            merges.stream()
                .map(m -> newer ? "[\"" + m.replace(" ", "\",\"") + "\"]" : "\"" + m + "\"")
                .toList());
    return TokenizerDefinition.fromJson(
        """
        {"version":"1.0","truncation":null,"padding":null,
         "added_tokens":[{"id":0,"content":"<s>","single_word":false,"lstrip":false,
           "rstrip":false,"normalized":false,"special":true},
          {"id":2,"content":"</s>","single_word":false,"lstrip":false,
           "rstrip":false,"normalized":false,"special":true},
          {"id":1,"content":"<pad>","single_word":false,"lstrip":false,
           "rstrip":false,"normalized":false,"special":true}],
         "normalizer":null,"pre_tokenizer":{"type":"Whitespace"},
         "post_processor":{"type":"RobertaProcessing","sep":["</s>",2],"cls":["<s>",0],
           "trim_offsets":true,"add_prefix_space":false},
         "decoder":null,
         "model":{"type":"BPE","dropout":null,"unk_token":"<unk>",
           "continuing_subword_prefix":null,"end_of_word_suffix":null,"fuse_unk":false,
           "vocab":{%s},"merges":[%s]}}
        """
            .formatted(vocabulary, pairs));
  }

  private static int[] ids(TokenizerDefinition definition, String text) {
    try (InputTokenizer tokenizer = InputTokenizer.forTexts(definition, 40)) {
      return tokenizer.encode(text, null).ids();
    }
  }

  private static BitSet of(int[] ids) {
    BitSet set = new BitSet();
    Arrays.stream(ids).forEach(set::set);
    return set;
  }

  private static int[] inOldIds(VocabularySelection selection, String text) {
    int[] oldIds = selection.oldIds();
    return Arrays.stream(ids(selection.definition(), text)).map(id -> oldIds[id]).toArray();
  }

  @Test
  void textOfKeptTokensIsCutAsBefore() {
    TokenizerDefinition whole = wordPiece();
    int[] seen = ids(whole, SEEN);
    VocabularySelection selection = VocabularySelection.of(whole, of(seen));
    assertThat(inOldIds(selection, SEEN)).isEqualTo(seen);
    assertThat(selection.definition().vocabularySize()).isEqualTo(selection.size());
    // [unused0], walking, dog and happy went
    assertThat(selection.size()).isEqualTo(whole.vocabularySize() - 4);
    assertThat(selection.definition().padId()).isZero();
    assertThat(selection.definition().maskId()).hasValue(4);
  }

  @Test
  void otherWordsAreSpelledAndKnown() {
    TokenizerDefinition whole = wordPiece();
    VocabularySelection selection = VocabularySelection.of(whole, of(ids(whole, SEEN)));
    int unknown = selection.definition().tokenId("[UNK]").orElseThrow();
    assertThat(ids(selection.definition(), UNSEEN))
        .doesNotContain(unknown)
        .hasSizeGreaterThan(ids(whole, UNSEEN).length);
    assertThat(inOldIds(selection, "h"))
        .containsExactly(
            whole.tokenId("[CLS]").orElseThrow(),
            whole.tokenId("h").orElseThrow(),
            whole.tokenId("[SEP]").orElseThrow());
  }

  @Test
  void bytePairsKeepWhatTheyAreMergedFrom() {
    for (boolean newer : new boolean[] {false, true}) {
      TokenizerDefinition whole = bytePairs(newer);
      int lowest = whole.tokenId("lowest").orElseThrow();
      assertThat(ids(whole, "lowest")).containsExactly(0, lowest, 2);
      VocabularySelection selection = VocabularySelection.of(whole, of(new int[] {lowest}));
      assertThat(inOldIds(selection, "lowest")).containsExactly(0, lowest, 2);
      // "er" and "lower" went with their merges, the unused token too; the ends have new numbers
      assertThat(selection.size()).isEqualTo(whole.vocabularySize() - 3);
      assertThat(selection.definition().tokenId("lower")).isEmpty();
      assertThat(inOldIds(selection, "lower"))
          .containsExactly(
              0,
              whole.tokenId("low").orElseThrow(),
              whole.tokenId("e").orElseThrow(),
              whole.tokenId("r").orElseThrow(),
              2);
    }
  }

  @Test
  void specialTokensBehindOthersGetTheirNewNumbersEverywhere() {
    List<String> tokens = new ArrayList<>(List.of("spare", "[PAD]", "[UNK]", "word"));
    tokens.addAll(List.of("[SEP]", "[CLS]", "a", "##a"));
    TokenizerDefinition whole = TokenizerDefinition.fromVocabulary(tokens, true);
    VocabularySelection selection = VocabularySelection.of(whole, of(new int[] {3}));
    assertThat(selection.oldIds()).containsExactly(1, 2, 3, 4, 5, 6, 7);
    assertThat(ids(selection.definition(), "word aa")).containsExactly(4, 2, 5, 6, 3);
    assertThat(selection.definition().padId()).isZero();
  }

  @Test
  void tokenizersNumberedByPlaceAreRefused() {
    TokenizerDefinition unigram =
        TokenizerDefinition.fromJson(
            "{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0.0]]}}");
    assertThatThrownBy(() -> VocabularySelection.of(unigram, new BitSet()))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("Unigram")
        .hasMessageContaining("minTokenCount");
  }
}
