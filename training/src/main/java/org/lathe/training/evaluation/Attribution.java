package org.lathe.training.evaluation;

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
import org.lathe.training.memory.MemoryMass;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.MemoryScan;
import org.lathe.training.memory.Mixing;

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
   * @param position in the store's text or in the evaluated one
   * @param document number of its document there
   * @param value the token that followed it
   * @param share r_j
   */
  public record Item(boolean external, long position, int document, int value, double share) {}

  /**
   * A document's items together.
   *
   * @param external whether it lies in the store
   * @param position of its largest item
   * @param value token of its largest item
   * @param share sum of its r_j
   */
  public record Document(boolean external, int document, long position, int value, double share) {}

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
    Scores scores = new Scores();
    if (recent != null) {
      recent.visit(
          position,
          (i, found, values, numItems) -> {
            for (int j = 0; j < numItems; j++) {
              int at = position - numItems + j;
              scores.addRecent(found[j], at, documentAt.applyAsInt(at), values[j]);
            }
          });
    }
    if (external != null && items != null) {
      for (int k = 0; k < external.numNeighbors(); k++) {
        int item = external.item(position, k);
        if (item != CachedNeighbors.NOTHING) {
          scores.addExternal(
              external.score(position, k),
              items.position(item),
              items.document(item),
              external.value(position, k));
        }
      }
    }
    double interpolation =
        external == null || external.isEmpty(position)
            ? 0
            : interpolation(position, text, external, mixing.external().interpolation());
    List<Item> shares = scores.shares(text.vocabularyMass()[position], mixing, interpolation);
    double sum = 0;
    for (Item item : shares) {
      sum += item.share();
    }
    return new Attribution(position, sum, shares);
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

  /** Items with their scores in place of shares. */
  private static final class Scores {
    private final List<Item> recent = new ArrayList<>();
    private final List<Item> external = new ArrayList<>();

    void addRecent(float score, long position, int document, int value) {
      recent.add(new Item(false, position, document, value, score));
    }

    void addExternal(float score, long position, int document, int value) {
      external.add(new Item(true, position, document, value, score));
    }

    /**
     * @param weight lambda of the retrieved items
     */
    List<Item> shares(double vocabularyMass, MemoryMixing mixing, double weight) {
      double temperature = mixing.recent().temperature();
      double ownTemperature = mixing.external().temperature();
      boolean shared = mixing.external().shared();
      double recentMass = mass(recent, temperature);
      double first =
          MemoryMass.logAdd(
              recentMass, shared ? mass(external, temperature) : Double.NEGATIVE_INFINITY);
      boolean linear = mixing.recent().form() == Mixing.Form.LINEAR;
      // ln of what exp(s / temperature) is divided by in P_1
      double divisor =
          linear
              ? recentMass - Math.log(mixing.recent().interpolation())
              : MemoryMass.logAdd(vocabularyMass, first);
      double externalMass = mass(external, ownTemperature);
      List<Item> shares = new ArrayList<>();
      for (Item item : recent) {
        shares.add(item(item, (1 - weight) * Math.exp(item.share() / temperature - divisor)));
      }
      for (Item item : external) {
        double alone = weight * Math.exp(item.share() / ownTemperature - externalMass);
        double together =
            shared ? (1 - weight) * Math.exp(item.share() / temperature - divisor) : 0;
        shares.add(item(item, alone + together));
      }
      shares.sort(Comparator.comparingDouble(Item::share).reversed());
      return shares;
    }

    private static Item item(Item scored, double share) {
      return new Item(
          scored.external(), scored.position(), scored.document(), scored.value(), share);
    }

    /** ln sum exp(s / temperature). */
    private static double mass(List<Item> items, double temperature) {
      double mass = Double.NEGATIVE_INFINITY;
      for (Item item : items) {
        mass = MemoryMass.logAdd(mass, item.share() / temperature);
      }
      return mass;
    }
  }
}
