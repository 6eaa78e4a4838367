package org.lathe.cli.workflow;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.training.datastore.ExternalMemory;
import org.lathe.training.datastore.MemoryItems;
import org.lathe.training.evaluation.Attribution;
import org.lathe.training.text.Tokenizer;

/**
 * Where each token of a continuation comes from: the shares of vocabulary, local and external
 * memory in its probability, and the items that hold most of it, with the text around them.
 */
final class TokenExplanations {
  /** Tokens shown on either side of a remembered one. */
  private static final int NUM_CONTEXT_TOKENS = 8;

  private static final String LOCAL = "local";
  private static final String EXTERNAL = "external";

  /** What a person calls the text that is continued. */
  private static final String OWN_DOCUMENT = "prompt";

  private final List<Map<String, Object>> facts = new ArrayList<>();
  private final List<String> lines = new ArrayList<>();
  private final Tokenizer tokenizer;
  private final @Nullable ExternalMemory external;
  private final int numItems;
  private final SameNames sameNames;

  /** One remembered token. */
  private record Shown(String memory, String document, long position, int[] before, int[] after) {}

  /**
   * @param external the store; null = none
   * @param numItems shown for a token at most
   * @param sameNames hears of every document that is shown
   */
  TokenExplanations(
      Tokenizer tokenizer, @Nullable ExternalMemory external, int numItems, SameNames sameNames) {
    this.tokenizer = tokenizer;
    this.external = external;
    this.numItems = numItems;
    this.sameNames = sameNames;
  }

  List<Map<String, Object>> facts() {
    return facts;
  }

  List<String> lines() {
    return lines;
  }

  /**
   * Adds the next token.
   *
   * @param text prompt and continuation up to this token, without it
   * @param windowStart position in the text of the first token that the model read
   */
  void add(Attribution.OfToken apart, int[] text, int windowStart) {
    String token = tokenizer.decode(new int[] {apart.token()});
    lines.add(
        String.format(
            Locale.ROOT,
            "%s  P %.4f: vocabulary %.3f, local %.3f, external %.3f",
            ShownItems.quoted(token),
            apart.probability(),
            apart.vocabularyShare(),
            apart.recentShare(),
            apart.externalShare()));
    Map<String, Object> shares = new LinkedHashMap<>();
    shares.put("vocabulary", apart.vocabularyShare());
    shares.put(LOCAL, apart.recentShare());
    shares.put(EXTERNAL, apart.externalShare());
    List<Map<String, Object>> items = new ArrayList<>();
    for (Attribution.Item item : apart.items().stream().limit(numItems).toList()) {
      Shown shown = shown(item, text, windowStart);
      sameNames.add(shown.memory(), shown.document(), item.document());
      items.add(item(item, token, shown));
    }
    Map<String, Object> one = new LinkedHashMap<>();
    one.put("token", token);
    one.put("probability", apart.probability());
    one.put("shares", shares);
    one.put("items", items);
    facts.add(one);
  }

  private Map<String, Object> item(Attribution.Item item, String token, Shown shown) {
    String before = tokenizer.decode(shown.before());
    String after = tokenizer.decode(shown.after());
    lines.add(
        ShownItems.line(
            item.share(),
            shown.memory(),
            shown.document() + ", position " + shown.position() + ":",
            "..."
                + ShownItems.quoted(before)
                + " -> "
                + ShownItems.quoted(token)
                + " "
                + ShownItems.quoted(after)
                + "..."));
    Map<String, Object> facts =
        ShownItems.facts(item.share(), shown.memory(), shown.document(), shown.position(), token);
    facts.put("before", before);
    facts.put("after", after);
    return facts;
  }

  private Shown shown(Attribution.Item item, int[] text, int windowStart) {
    if (item.external() && external != null) {
      MemoryItems items = external.items();
      return new Shown(
          EXTERNAL,
          external.documentName().apply(item.document()),
          item.position(),
          items.tokensBefore(item.item(), NUM_CONTEXT_TOKENS),
          items.tokensAfter(item.item(), NUM_CONTEXT_TOKENS));
    }
    int position = windowStart + item.item();
    int value = position + 1;
    return new Shown(
        LOCAL,
        OWN_DOCUMENT,
        position,
        Arrays.copyOfRange(text, Math.max(0, value - NUM_CONTEXT_TOKENS), value),
        Arrays.copyOfRange(text, value + 1, Math.min(text.length, value + 1 + NUM_CONTEXT_TOKENS)));
  }
}
