package org.lathe.training.memory;

import com.google.common.base.Preconditions;

/**
 * How memory joins the vocabulary at test time.
 *
 * <ul>
 *   <li>SHARED: one softmax over vocabulary and memory, memory scores divided by the temperature
 *       (TRIME equation 5; global form of the continuous cache)
 *   <li>LINEAR: (1 - interpolation) P_vocabulary + interpolation P_memory, where P_memory is the
 *       softmax of the memory scores divided by the temperature (linear cache, kNN-LM)
 * </ul>
 *
 * @param temperature divides memory scores only, in units of s = scale g_t . g_j
 * @param interpolation weight of memory in [0, 1); LINEAR only, else 0
 */
public record Mixing(Form form, double temperature, double interpolation) {
  /** Shared softmax or linear interpolation. */
  public enum Form {
    SHARED,
    LINEAR
  }

  public Mixing {
    Preconditions.checkArgument(
        temperature > 0 && Double.isFinite(temperature),
        "temperature (%s) must be positive",
        temperature);
    Preconditions.checkArgument(
        interpolation >= 0 && interpolation < 1,
        "interpolation (%s) must be in [0, 1)",
        interpolation);
  }

  public static Mixing shared(double temperature) {
    return new Mixing(Form.SHARED, temperature, 0);
  }

  public static Mixing linear(double temperature, double interpolation) {
    return new Mixing(Form.LINEAR, temperature, interpolation);
  }

  /**
   * ln P(y) with memory.
   *
   * @param vocabularyMass Zv = ln sum_w exp(a_w)
   * @param targetLogit a_y
   * @param mass of the memory at this temperature
   */
  public double logProbability(double vocabularyMass, double targetLogit, MemoryMass mass) {
    double vocabulary = targetLogit - vocabularyMass;
    if (mass.isEmpty()) {
      return vocabulary;
    }
    return switch (form) {
      case SHARED ->
          MemoryMass.logAdd(targetLogit, mass.matching())
              - MemoryMass.logAdd(vocabularyMass, mass.all());
      case LINEAR ->
          MemoryMass.logAdd(
              Math.log1p(-interpolation) + vocabulary,
              Math.log(interpolation) + mass.matching() - mass.all());
    };
  }

  /** The part of the mixture's mass, over all tokens, that comes from memory items. */
  public double memoryShare(double vocabularyMass, MemoryMass mass) {
    if (mass.isEmpty()) {
      return 0;
    }
    return form == Form.LINEAR
        ? interpolation
        : Math.exp(mass.all() - MemoryMass.logAdd(vocabularyMass, mass.all()));
  }
}
