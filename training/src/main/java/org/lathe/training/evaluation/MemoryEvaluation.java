package org.lathe.training.evaluation;

import com.google.common.base.Preconditions;
import java.util.Arrays;
import java.util.Collection;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.lathe.training.memory.InterpolationBuckets;
import org.lathe.training.memory.InterpolationBuckets.Feature;
import org.lathe.training.memory.MassGrid;
import org.lathe.training.memory.MemoryMass;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.MemoryScan;
import org.lathe.training.memory.MixingTuner;

/** What a text's tokens are worth to a model without memory, and with any of its memories. */
public final class MemoryEvaluation {
  private MemoryEvaluation() {}

  /**
   * One mode of prediction over a text.
   *
   * @param logProbabilities ln P_final(y) of each position
   * @param memoryShares part of the mass of P_final that memory items hold, of each position
   * @param externalShares part of the retrieved items alone
   */
  public record Measured(
      double[] logProbabilities, double[] memoryShares, double[] externalShares) {

    /** Per token, natural logarithm. */
    public double perplexity() {
      return Math.exp(-mean(logProbabilities));
    }

    public double meanMemoryShare() {
      return mean(memoryShares);
    }

    public double meanExternalShare() {
      return mean(externalShares);
    }

    private static double mean(double[] values) {
      double sum = 0;
      for (double value : values) {
        sum += value;
      }
      return sum / values.length;
    }
  }

  /** The vocabulary softmax alone. */
  public static Measured withoutMemory(ScoredText text) {
    double[] logProbabilities = new double[text.numPositions()];
    for (int i = 0; i < logProbabilities.length; i++) {
      logProbabilities[i] = text.vocabularyLogProbability(i);
    }
    return new Measured(
        logProbabilities, new double[logProbabilities.length], new double[logProbabilities.length]);
  }

  /**
   * Bits per byte of text: the whole surprise of its tokens over the length of the text. Unlike
   * perplexity per token it can be compared between tokenizers; for byte tokens it is the bits per
   * character of the enwik8 literature.
   *
   * @param perplexity per token
   * @param numTokens scored
   * @param numBytes of the text that the scored tokens stand for, UTF-8
   */
  public static double bitsPerByte(double perplexity, long numTokens, long numBytes) {
    Preconditions.checkArgument(numBytes > 0, "numBytes (%s) must be positive", numBytes);
    return Math.log(perplexity) / Math.log(2) * numTokens / numBytes;
  }

  /**
   * With memories, mixed as said.
   *
   * @param recent local and long-term memory; null = none
   * @param external retrieved items; null = none
   */
  public static Measured measure(
      ScoredText text,
      @Nullable MemoryScan recent,
      @Nullable CachedNeighbors external,
      MemoryMixing mixing) {
    int numPositions = text.numPositions();
    MemoryMass[] recentMasses = new MemoryMass[numPositions];
    double temperature = mixing.recent().temperature();
    if (recent != null) {
      recent.forEachInParallel(
          (position, scores, values, numItems) ->
              recentMasses[position] =
                  MemoryMass.of(
                      scores, values, 0, numItems, text.targets()[position], temperature));
    }
    Measured measured =
        new Measured(new double[numPositions], new double[numPositions], new double[numPositions]);
    IntStream.range(0, numPositions)
        .parallel()
        .forEach(
            i ->
                put(
                    measured,
                    i,
                    text,
                    mixing,
                    masses(
                        recent == null ? MemoryMass.EMPTY : recentMasses[i],
                        text,
                        external,
                        i,
                        mixing)));
    return measured;
  }

  private static MemoryMixing.Masses masses(
      MemoryMass recent,
      ScoredText text,
      @Nullable CachedNeighbors external,
      int position,
      MemoryMixing mixing) {
    if (external == null) {
      return new MemoryMixing.Masses(recent, MemoryMass.EMPTY, MemoryMass.EMPTY);
    }
    return new MemoryMixing.Masses(
        recent,
        mixing.external().shared()
            ? external.mass(position, mixing.recent().temperature())
            : MemoryMass.EMPTY,
        external.mass(position, mixing.external().temperature()),
        feature(mixing.external().interpolation().buckets().feature(), text, external, position));
  }

  /** What an adaptive interpolation sorts a position by. */
  static double feature(Feature feature, ScoredText text, CachedNeighbors external, int position) {
    return switch (feature) {
      case CONSTANT -> Double.NaN;
      case CONFIDENCE -> text.confidence()[position];
      case BEST_SCORE -> external.score(position, 0);
    };
  }

  private static void put(
      Measured measured, int i, ScoredText text, MemoryMixing mixing, MemoryMixing.Masses masses) {
    double vocabularyMass = text.vocabularyMass()[i];
    measured.logProbabilities()[i] =
        mixing.logProbability(vocabularyMass, text.targetLogits()[i], masses);
    measured.memoryShares()[i] = mixing.memoryShare(vocabularyMass, masses);
    measured.externalShares()[i] = mixing.externalShare(vocabularyMass, masses);
  }

  /**
   * The mixing with the lowest perplexity on a text, usually the validation part.
   *
   * @param recent local and long-term memory; null = none
   * @param external retrieved items; null = none
   * @param families kinds of mixing to choose from
   */
  public static MixingTuner.Choice tune(
      ScoredText text,
      @Nullable MemoryScan recent,
      @Nullable CachedNeighbors external,
      Collection<MixingTuner.Family> families) {
    return tune(text, recent, external, families, Feature.CONSTANT);
  }

  /**
   * The same with an interpolation of retrieved items for each bucket of positions. Positions that
   * retrieved something are spread evenly over the buckets.
   *
   * @param feature what positions are sorted by
   */
  public static MixingTuner.Choice tune(
      ScoredText text,
      @Nullable MemoryScan recent,
      @Nullable CachedNeighbors external,
      Collection<MixingTuner.Family> families,
      Feature feature) {
    double[] features = new double[text.numPositions()];
    InterpolationBuckets buckets = InterpolationBuckets.ONE;
    if (external != null) {
      Arrays.setAll(features, i -> feature(feature, text, external, i));
      buckets =
          InterpolationBuckets.quantiles(
              feature,
              IntStream.range(0, features.length)
                  .filter(i -> !external.isEmpty(i))
                  .mapToDouble(i -> features[i])
                  .toArray());
    }
    return new MixingTuner(
            text.vocabularyMass(),
            text.targetLogits(),
            recent == null ? null : MassGrid.of(recent),
            external == null ? null : external.masses(),
            buckets,
            features)
        .best(families);
  }
}
