package org.lathe.training.memory;

import com.google.common.base.Preconditions;

/**
 * How all memories join the vocabulary at test time. Every temperature divides scores in units of s
 * = scale q . k (or -scale |q - k|^2 / 2 where the search is by distance), never vocabulary logits.
 *
 * <pre>
 * P_1     = vocabulary and recent memory, mixed as {@code recent} says; where {@code
 *           external.shared}, the retrieved items are in the same softmax     (TRIME equation 5)
 * P_final = (1 - lambda) P_1 + lambda P'(retrieved items alone)               (TRIME equation 6)
 * </pre>
 *
 * Two linear weights l1 (cache) and l2 (kNN) are the nested form with lambda = l2 and the cache's
 * interpolation l1 / (1 - l2). A position without any retrieved item keeps P_1.
 *
 * @param recent for local and long-term memory
 * @param external for items of an external store
 */
public record MemoryMixing(Mixing recent, ExternalMixing external) {
  /**
   * What TRIME published for its 247M model, in units of s: tau 1.25, lambda 0.3, and tau' = 10.5 /
   * sqrt(1024), because its 10.5 divides unscaled inner products.
   */
  public static final MemoryMixing PUBLISHED =
      new MemoryMixing(Mixing.shared(1.25), new ExternalMixing(true, 10.5 / 32, 0.3));

  /**
   * Masses of one position.
   *
   * @param recent local and long-term items, at the temperature of {@code recent}
   * @param externalShared retrieved items at the temperature of {@code recent}
   * @param external retrieved items at their own temperature
   * @param feature what an adaptive interpolation sorts the position by; NaN where it is constant
   */
  public record Masses(
      MemoryMass recent, MemoryMass externalShared, MemoryMass external, double feature) {

    /** For a constant interpolation. */
    public Masses(MemoryMass recent, MemoryMass externalShared, MemoryMass external) {
      this(recent, externalShared, external, Double.NaN);
    }
  }

  public MemoryMixing {
    Preconditions.checkArgument(
        !external.shared() || recent.form() == Mixing.Form.SHARED,
        "retrieved items can share a softmax only with recent memory that does");
  }

  /** Local and long-term memory only. */
  public static MemoryMixing recentOnly(Mixing recent) {
    return new MemoryMixing(recent, ExternalMixing.NONE);
  }

  /** Retrieved items only, by interpolation (kNN-LM). */
  public static MemoryMixing externalOnly(double temperature, double interpolation) {
    return new MemoryMixing(Mixing.linear(1, 0), ExternalMixing.linear(temperature, interpolation));
  }

  /**
   * ln P_final(y).
   *
   * @param vocabularyMass Zv = ln sum_w exp(a_w)
   * @param targetLogit a_y
   */
  public double logProbability(double vocabularyMass, double targetLogit, Masses masses) {
    double first = recent.logProbability(vocabularyMass, targetLogit, firstMass(masses));
    double weight = externalWeight(masses);
    return weight == 0
        ? first
        : MemoryMass.logAdd(
            Math.log1p(-weight) + first,
            Math.log(weight) + masses.external().matching() - masses.external().all());
  }

  /** m: the part of P_final's mass, over all tokens, that comes from memory items. */
  public double memoryShare(double vocabularyMass, Masses masses) {
    double weight = externalWeight(masses);
    return weight + (1 - weight) * recent.memoryShare(vocabularyMass, firstMass(masses));
  }

  /** The part of P_final's mass that comes from retrieved items. */
  public double externalShare(double vocabularyMass, Masses masses) {
    double weight = externalWeight(masses);
    if (!external.shared()) {
      return weight;
    }
    double all = MemoryMass.logAdd(vocabularyMass, firstMass(masses).all());
    return weight + (1 - weight) * Math.exp(masses.externalShared().all() - all);
  }

  /** Mass of the items that take part in P_1. */
  private MemoryMass firstMass(Masses masses) {
    return external.shared() ? masses.recent().plus(masses.externalShared()) : masses.recent();
  }

  private double externalWeight(Masses masses) {
    return masses.external().isEmpty() ? 0 : external.interpolation().at(masses.feature());
  }
}
