package org.lathe.training.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableSet;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.ConfigException;

/**
 * A tokenizer with some of its tokens, numbered anew in their old order, for an encoder that serves
 * one task and needs a row of its token table for no other word. Beside the tokens asked for it
 * keeps
 *
 * <ul>
 *   <li>what the definition names by itself: added tokens, the unknown token, the padding;
 *   <li>all single characters, so that a word that lost its token is spelled with smaller ones;
 *   <li>of byte-pair encodings, what kept tokens are merged from.
 * </ul>
 *
 * Text whose tokens were all asked for is cut as before: WordPiece takes the longest piece, which
 * is kept, and no longer one has come; byte-pair merges of kept tokens happen in their old order.
 */
public final class VocabularySelection {
  private static final String CONTINUED = "##";

  /** Fields of BERT's and RoBERTa's own post-processors: a token and its id. */
  private static final ImmutableList<String> ENDS = ImmutableList.of("sep", "cls");

  private final int[] oldIds;
  private final TokenizerDefinition definition;

  private VocabularySelection(int[] oldIds, TokenizerDefinition definition) {
    this.oldIds = oldIds;
    this.definition = definition;
  }

  /**
   * @param wanted ids that have to stay
   * @throws ConfigException when the tokenizer is of another kind than WordPiece, BPE and WordLevel
   */
  public static VocabularySelection of(TokenizerDefinition definition, BitSet wanted) {
    ObjectNode root = definition.copyOfRoot();
    JsonNode model = root.path("model");
    JsonNode vocabulary = model.path("vocab");
    if (!(vocabulary instanceof ObjectNode byToken)) {
      throw new ConfigException(
          "a tokenizer of type "
              + model.path("type").asText("?")
              + " numbers its tokens by place and cannot lose some; expected WordPiece, BPE or"
              + " WordLevel. Leave task.minTokenCount at 0.");
    }
    BitSet kept = (BitSet) wanted.clone();
    Map<String, Integer> ids = new HashMap<>();
    byToken.properties().forEach(entry -> ids.put(entry.getKey(), entry.getValue().asInt()));
    keepNamed(root, ids, kept);
    String prefix = model.path("continuing_subword_prefix").asText(CONTINUED);
    ids.forEach(
        (token, id) -> {
          if (isSingleCharacter(token, prefix)) {
            kept.set(id);
          }
        });
    if (model.path("merges") instanceof ArrayNode merges) {
      keepParts(merges, ids, kept);
      removeMerges(merges, ids, kept);
    }
    kept.clear(definition.vocabularySize(), Math.max(kept.length(), definition.vocabularySize()));
    int[] oldIds = kept.stream().toArray();
    Map<Integer, Integer> newIds = new HashMap<>();
    for (int id = 0; id < oldIds.length; id++) {
      newIds.put(oldIds[id], id);
    }
    renumber(byToken, newIds);
    renumberNamed(root, newIds);
    return new VocabularySelection(oldIds, TokenizerDefinition.fromJson(root.toString()));
  }

  /** The old id of each new one, ascending. */
  public int[] oldIds() {
    return oldIds.clone();
  }

  /** Number of tokens that stay. */
  public int size() {
    return oldIds.length;
  }

  /** The tokenizer with the new ids. */
  public TokenizerDefinition definition() {
    return definition;
  }

  private static boolean isSingleCharacter(String token, String prefix) {
    String piece =
        !prefix.isEmpty() && token.startsWith(prefix) && token.length() > prefix.length()
            ? token.substring(prefix.length())
            : token;
    return piece.codePointCount(0, piece.length()) == 1;
  }

  private static void keepNamed(ObjectNode root, Map<String, Integer> ids, BitSet kept) {
    root.path("added_tokens").forEach(added -> kept.set(added.path("id").asInt()));
    JsonNode padding = root.path("padding").path("pad_id");
    if (padding.isInt()) {
      kept.set(padding.intValue());
    }
    Integer unknown = ids.get(root.path("model").path("unk_token").asText(""));
    if (unknown != null) {
      kept.set(unknown);
    }
    forEachProcessor(
        root.path("post_processor"),
        processor -> {
          processor
              .path("special_tokens")
              .forEach(special -> special.path("ids").forEach(id -> kept.set(id.asInt())));
          for (String end : ENDS) {
            JsonNode id = processor.path(end).path(1);
            if (id.isInt()) {
              kept.set(id.intValue());
            }
          }
        });
  }

  /** Whatever was made by a merge needs its two parts, and these theirs. */
  private static void keepParts(ArrayNode merges, Map<String, Integer> ids, BitSet kept) {
    Map<Integer, int[]> parts = new HashMap<>();
    for (JsonNode merge : merges) {
      Merge found = Merge.of(merge, ids);
      if (found != null) {
        parts.putIfAbsent(found.result(), new int[] {found.left(), found.right()});
      }
    }
    Deque<Integer> open = new ArrayDeque<>();
    kept.stream().forEach(open::add);
    while (!open.isEmpty()) {
      int[] both = parts.get(open.remove());
      if (both != null) {
        for (int part : both) {
          if (!kept.get(part)) {
            kept.set(part);
            open.add(part);
          }
        }
      }
    }
  }

  private static void removeMerges(ArrayNode merges, Map<String, Integer> ids, BitSet kept) {
    for (Iterator<JsonNode> each = merges.iterator(); each.hasNext(); ) {
      Merge merge = Merge.of(each.next(), ids);
      boolean stays =
          merge != null
              && kept.get(merge.left())
              && kept.get(merge.right())
              && kept.get(merge.result());
      if (!stays) {
        each.remove();
      }
    }
  }

  /** Two neighbours that become one token: "a b", or ["a", "b"] in newer files. */
  private record Merge(int left, int right, int result) {
    static @Nullable Merge of(JsonNode merge, Map<String, Integer> ids) {
      String left;
      String right;
      if (merge.isArray()) {
        left = merge.path(0).asText();
        right = merge.path(1).asText();
      } else {
        int space = merge.asText().indexOf(' ');
        left = merge.asText().substring(0, Math.max(0, space));
        right = merge.asText().substring(space + 1);
      }
      Integer leftId = ids.get(left);
      Integer rightId = ids.get(right);
      Integer resultId = ids.get(left + right);
      return leftId == null || rightId == null || resultId == null
          ? null
          : new Merge(leftId, rightId, resultId);
    }
  }

  private static void renumber(ObjectNode vocabulary, Map<Integer, Integer> newIds) {
    for (Map.Entry<String, JsonNode> entry : ImmutableSet.copyOf(vocabulary.properties())) {
      Integer id = newIds.get(entry.getValue().asInt());
      if (id == null) {
        vocabulary.remove(entry.getKey());
      } else {
        vocabulary.put(entry.getKey(), id);
      }
    }
  }

  private static void renumberNamed(ObjectNode root, Map<Integer, Integer> newIds) {
    for (JsonNode added : root.path("added_tokens")) {
      ((ObjectNode) added).put("id", newId(newIds, added.path("id").asInt()));
    }
    if (root.path("padding") instanceof ObjectNode padding && padding.path("pad_id").isInt()) {
      padding.put("pad_id", newId(newIds, padding.path("pad_id").intValue()));
    }
    forEachProcessor(
        root.path("post_processor"),
        processor -> {
          for (JsonNode special : processor.path("special_tokens")) {
            if (special.path("ids") instanceof ArrayNode ids) {
              for (int i = 0; i < ids.size(); i++) {
                ids.set(i, ids.numberNode(newId(newIds, ids.get(i).asInt())));
              }
            }
          }
          for (String end : ENDS) {
            if (processor.path(end) instanceof ArrayNode pair && pair.path(1).isInt()) {
              pair.set(1, pair.numberNode(newId(newIds, pair.get(1).intValue())));
            }
          }
        });
  }

  private static int newId(Map<Integer, Integer> newIds, int oldId) {
    Integer id = newIds.get(oldId);
    Preconditions.checkState(id != null, "id %s is named and was not kept", oldId);
    return Objects.requireNonNull(id);
  }

  /** The post-processor, or each one of a sequence of them. */
  private static void forEachProcessor(JsonNode processor, Consumer<JsonNode> action) {
    if (processor.path("processors").isArray()) {
      processor.path("processors").forEach(action);
    } else {
      action.accept(processor);
    }
  }
}
