package org.lathe.training.evaluation;

import com.google.common.base.Preconditions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;
import org.lathe.training.datastore.MemoryItems;
import org.lathe.training.memory.AdaptiveInterpolation;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.MemoryScan;

/**
 * What one prediction owes to each memory item: r_j, the part of the mass of P_final, over all
 * tokens, that item j holds. The sum of all r_j is the memory share.
 *
 * @param position of the text
 * @param memoryShare sum of all r_j
 * @param items every item that was visible, the largest share first
 */
public record Attribution(int position, double memoryShare, List<Item> items) {

  /**
   * One memory item.
   *
   * @param external whether it was retrieved; else it is an earlier position of the text itself
   * @param item its number in the store, or its position in the text itself
   * @param position in the store's text or in the evaluated one
   * @param document number of its document there
   * @param value the token that followed it
   * @param share r_j
   */
  public record Item(
      boolean external, int item, long position, int document, int value, double share) {}

  /**
   * A document's items together.
   *
   * @param external whether it lies in the store
   * @param position of its largest item
   * @param value token of its largest item
   * @param share sum of its r_j
   */
  public record Document(boolean external, int document, long position, int value, double share) {}

  /**
   * Where the probability of one token comes from. The three shares are parts of that probability
   * and sum to 1.
   *
   * @param probability P_final of the token
   * @param items that propose the token, with their parts of its probability, the largest first
   */
  public record OfToken(
      int token,
      double probability,
      double vocabularyShare,
      double recentShare,
      double externalShare,
      List<Item> items) {
    public OfToken {
      items = List.copyOf(items);
    }
  }

  public Attribution {
    items = List.copyOf(items);
  }

  /**
   * Takes one prediction apart.
   *
   * @param recent local and long-term memory; null = none
   * @param external retrieved items; null = none
   * @param items what is known of the retrieved items; needed with external
   * @param documentAt document of a position of the text itself
   */
  public static Attribution of(
      int position,
      ScoredText text,
      @Nullable MemoryScan recent,
      @Nullable CachedNeighbors external,
      @Nullable MemoryItems items,
      IntUnaryOperator documentAt,
      MemoryMixing mixing) {
    VisibleItems visible = new VisibleItems();
    if (recent != null) {
      visible.addRecent(recent, position, documentAt);
    }
    if (external != null && items != null) {
      visible.addExternal(external, position, items);
    }
    double interpolation =
        external == null || external.isEmpty(position)
            ? 0
            : interpolation(position, text, external, mixing.external().interpolation());
    return of(position, visible, text.vocabularyMass()[position], mixing, interpolation);
  }

  /**
   * The same from items that were collected before.
   *
   * @param interpolation lambda of the retrieved items at this position
   */
  static Attribution of(
      int position,
      VisibleItems visible,
      double vocabularyMass,
      MemoryMixing mixing,
      double interpolation) {
    List<Item> shares = visible.shares(vocabularyMass, mixing, interpolation);
    double sum = 0;
    for (Item item : shares) {
      sum += item.share();
    }
    return new Attribution(position, sum, shares);
  }

  /**
   * Takes the probability of one token apart. Vocabulary and memory items add to it independently:
   * P_final(w) = (1 - m) P_vocabulary(w) + sum of r_j over items with the value w.
   *
   * @param vocabularyProbability P_vocabulary(w) of the vocabulary softmax alone
   */
  public OfToken ofToken(int token, double vocabularyProbability) {
    double vocabulary = (1 - memoryShare) * vocabularyProbability;
    double recent = 0;
    double external = 0;
    List<Item> matching = new ArrayList<>();
    for (Item item : items) {
      if (item.value() == token && item.share() > 0) {
        matching.add(item);
        recent += item.external() ? 0 : item.share();
        external += item.external() ? item.share() : 0;
      }
    }
    double probability = vocabulary + recent + external;
    Preconditions.checkArgument(probability > 0, "token %s has no probability at all", token);
    return new OfToken(
        token,
        probability,
        vocabulary / probability,
        recent / probability,
        external / probability,
        matching.stream()
            .map(
                item ->
                    new Item(
                        item.external(),
                        item.item(),
                        item.position(),
                        item.document(),
                        item.value(),
                        item.share() / probability))
            .toList());
  }

  /** lambda of this position. */
  private static double interpolation(
      int position, ScoredText text, CachedNeighbors external, AdaptiveInterpolation adaptive) {
    return adaptive.at(
        MemoryEvaluation.feature(adaptive.buckets().feature(), text, external, position));
  }

  /** Shares summed by document, the largest first. */
  public List<Document> byDocument() {
    Map<String, Document> documents = new LinkedHashMap<>();
    for (Item item : items) {
      documents.merge(
          item.external() + "/" + item.document(),
          new Document(
              item.external(), item.document(), item.position(), item.value(), item.share()),
          // items come sorted: the first is the largest
          (old, one) ->
              new Document(
                  old.external(),
                  old.document(),
                  old.position(),
                  old.value(),
                  old.share() + one.share()));
    }
    return documents.values().stream()
        .sorted(Comparator.comparingDouble(Document::share).reversed())
        .toList();
  }

  /** Shares summed by token: what memory proposes as the next one. Tokens in order. */
  public Map<Integer, Double> byValue() {
    Map<Integer, Double> shares = new TreeMap<>();
    for (Item item : items) {
      shares.merge(item.value(), item.share(), Double::sum);
    }
    return shares;
  }
}
