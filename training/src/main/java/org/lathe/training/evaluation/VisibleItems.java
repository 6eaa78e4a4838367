package org.lathe.training.evaluation;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.lathe.training.datastore.MemoryItems;
import org.lathe.training.memory.ItemScores;
import org.lathe.training.memory.MemoryMass;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.MemoryScan;
import org.lathe.training.memory.Mixing;

/** The memory items that one prediction sees, each with its score and where it comes from. */
final class VisibleItems {

  /** An item as {@link Attribution.Item}, with its score s_j in place of a share. */
  private record Scored(
      boolean external, int item, long position, int document, int value, float score) {

    Attribution.Item withShare(double share) {
      return new Attribution.Item(external, item, position, document, value, share);
    }
  }

  private final List<Scored> recent = new ArrayList<>();
  private final List<Scored> external = new ArrayList<>();

  /**
   * Adds local and long-term memory of a position.
   *
   * @param documentAt document of a position of the text itself
   */
  void addRecent(MemoryScan scan, int position, IntUnaryOperator documentAt) {
    scan.visit(
        position,
        (i, scores, values, numItems) -> {
          for (int j = 0; j < numItems; j++) {
            int at = position - numItems + j;
            recent.add(new Scored(false, at, at, documentAt.applyAsInt(at), values[j], scores[j]));
          }
        });
  }

  /**
   * Adds what was retrieved for a position.
   *
   * @param items what is known of the retrieved items
   */
  void addExternal(CachedNeighbors neighbors, int position, MemoryItems items) {
    for (int k = 0; k < neighbors.numNeighbors(); k++) {
      int item = neighbors.item(position, k);
      if (item != CachedNeighbors.NOTHING) {
        external.add(
            new Scored(
                true,
                item,
                items.position(item),
                items.document(item),
                neighbors.value(position, k),
                neighbors.score(position, k)));
      }
    }
  }

  /** Local and long-term items. */
  ItemScores recent() {
    return scores(recent);
  }

  /** Whether nothing was retrieved. */
  boolean isExternalEmpty() {
    return external.isEmpty();
  }

  /** Retrieved items. */
  ItemScores external() {
    return scores(external);
  }

  private static ItemScores scores(List<Scored> items) {
    float[] scores = new float[items.size()];
    int[] values = new int[scores.length];
    for (int j = 0; j < scores.length; j++) {
      scores[j] = items.get(j).score();
      values[j] = items.get(j).value();
    }
    return new ItemScores(scores, values);
  }

  /**
   * r_j of every item, the largest first.
   *
   * @param vocabularyMass Zv of the position
   * @param weight lambda of the retrieved items at this position
   */
  List<Attribution.Item> shares(double vocabularyMass, MemoryMixing mixing, double weight) {
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
    List<Attribution.Item> shares = new ArrayList<>();
    for (Scored item : recent) {
      shares.add(item.withShare((1 - weight) * Math.exp(item.score() / temperature - divisor)));
    }
    for (Scored item : external) {
      double alone = weight * Math.exp(item.score() / ownTemperature - externalMass);
      double together = shared ? (1 - weight) * Math.exp(item.score() / temperature - divisor) : 0;
      shares.add(item.withShare(alone + together));
    }
    shares.sort(Comparator.comparingDouble(Attribution.Item::share).reversed());
    return shares;
  }

  /** ln sum exp(s / temperature). */
  private static double mass(List<Scored> items, double temperature) {
    double mass = Double.NEGATIVE_INFINITY;
    for (Scored item : items) {
      mass = MemoryMass.logAdd(mass, item.score() / temperature);
    }
    return mass;
  }
}
