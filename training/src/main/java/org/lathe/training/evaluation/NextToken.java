package org.lathe.training.evaluation;

import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.TokenDistribution;

/** What comes after a text, with memory, and what it owes to which item. */
public final class NextToken {
  private final int position;
  private final float[] logits;
  private final VisibleItems items;
  private final MemoryMixing mixing;
  private final double vocabularyMass;

  NextToken(int position, float[] logits, VisibleItems items, MemoryMixing mixing) {
    this.position = position;
    this.logits = logits;
    this.items = items;
    this.mixing = mixing;
    this.vocabularyMass = TokenDistribution.vocabularyMass(logits);
  }

  /** ln P_final(w) of every token w (V). */
  public double[] logProbabilities() {
    return TokenDistribution.logProbabilities(mixing, logits, items.recent(), items.external());
  }

  /**
   * Takes one token's probability apart. Positions and item numbers of recent items count from the
   * first token of the text.
   */
  public Attribution.OfToken explain(int token) {
    double interpolation =
        items.isExternalEmpty() ? 0 : mixing.external().interpolation().constantWeight();
    return Attribution.of(position, items, vocabularyMass, mixing, interpolation)
        .ofToken(token, Math.exp(logits[token] - vocabularyMass));
  }
}
