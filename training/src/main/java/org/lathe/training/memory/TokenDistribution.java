package org.lathe.training.memory;

/**
 * P_final of all tokens at one position, where evaluation asks for that of the target only: {@link
 * MemoryMixing#logProbability} with every token as the target.
 */
public final class TokenDistribution {
  private TokenDistribution() {}

  /** Zv = ln sum_w exp(a_w). */
  public static double vocabularyMass(float[] logits) {
    double max = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      max = Math.max(max, logit);
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit - max);
    }
    return max + Math.log(sum);
  }

  /**
   * ln P_final(w) of every token w.
   *
   * @param logits a_w
   * @param recent local and long-term items; their values are tokens of the vocabulary
   * @param external retrieved items; the same
   */
  public static double[] logProbabilities(
      MemoryMixing mixing, float[] logits, ItemScores recent, ItemScores external) {
    double vocabularyMass = vocabularyMass(logits);
    double temperature = mixing.recent().temperature();
    TokenMasses recentMasses = TokenMasses.of(recent, temperature);
    TokenMasses sharedMasses = TokenMasses.of(external, temperature);
    TokenMasses externalMasses = TokenMasses.of(external, mixing.external().temperature());
    double[] logProbabilities = new double[logits.length];
    for (int w = 0; w < logits.length; w++) {
      logProbabilities[w] =
          mixing.logProbability(
              vocabularyMass,
              logits[w],
              new MemoryMixing.Masses(
                  recentMasses.at(w), sharedMasses.at(w), externalMasses.at(w)));
    }
    return logProbabilities;
  }
}
