package org.lathe.training.memory;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Chooses temperatures and interpolations on validation text from masses that are computed once. By
 * turns, the mixing of recent memory is chosen among all its candidates while that of retrieved
 * items stands still, and the other way round, until nothing improves. Each turn looks at every
 * pair on the grid, so that with one memory alone the result is the best of all candidates.
 */
public final class MixingTuner {
  /** Interpolation weights tried. */
  public static final ImmutableList<Double> INTERPOLATIONS =
      ImmutableList.of(0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8);

  /** Kinds of mixing, tuned one by one. */
  public enum Family {
    /** Recent memory in the vocabulary's softmax, retrieved items interpolated. */
    SHARED,
    /** Recent memory interpolated, and retrieved items too (continuous cache, kNN-LM). */
    LINEAR,
    /** Both in the vocabulary's softmax, retrieved items interpolated besides (TRIME). */
    ALL_SHARED
  }

  /**
   * What was chosen.
   *
   * @param perplexity on the text it was chosen on
   */
  public record Choice(MemoryMixing mixing, double perplexity) {}

  private static final int NUM_TEMPERATURES = MassGrid.NUM_TEMPERATURES;
  private static final int MAX_ROUNDS = 20;

  /** Rounds that improve the mean loss by less are the last. */
  private static final double SMALLEST_GAIN = 1e-9;

  /** A probability that rounds to 0 counts as this, so that one position cannot decide alone. */
  private static final double SMALLEST_PROBABILITY = 1e-300;

  /** P' of a position without retrieved items. */
  private static final double NOTHING = -1;

  /** A temperature by its index in the grid, and an interpolation. */
  private record Pair(int t, double interpolation) {}

  private record Best<C>(C candidate, double loss) {}

  private static final ImmutableList<Pair> PAIRS =
      IntStream.range(0, NUM_TEMPERATURES)
          .boxed()
          .flatMap(t -> INTERPOLATIONS.stream().map(weight -> new Pair(t, weight)))
          .collect(ImmutableList.toImmutableList());

  private static final ImmutableList<Pair> TEMPERATURES_ONLY =
      IntStream.range(0, NUM_TEMPERATURES)
          .mapToObj(t -> new Pair(t, 0))
          .collect(ImmutableList.toImmutableList());

  /** Where the climb starts: without P', and near TRIME's published tau' 0.33 and lambda 0.3. */
  private static final ImmutableList<Pair> STARTS =
      ImmutableList.of(new Pair(8, 0), new Pair(14, 0.3));

  private final double[] vocabularyMass;
  private final double[] targetLogits;
  private final @Nullable MassGrid recent;
  private final @Nullable MassGrid external;

  /** P(y) of the vocabulary alone. */
  private final double[] vocabulary;

  /** P'(y) by temperature and position. */
  private final double @Nullable [][] retrieved;

  /**
   * @param vocabularyMass Zv of each position
   * @param targetLogits a_y of each position
   * @param recent masses of local and long-term memory; null = none
   * @param external masses of retrieved items; null = none
   */
  public MixingTuner(
      double[] vocabularyMass,
      double[] targetLogits,
      @Nullable MassGrid recent,
      @Nullable MassGrid external) {
    Preconditions.checkArgument(vocabularyMass.length > 0, "there is no position to tune on");
    this.vocabularyMass = vocabularyMass;
    this.targetLogits = targetLogits;
    this.recent = recent;
    this.external = external;
    vocabulary = new double[vocabularyMass.length];
    Arrays.setAll(vocabulary, i -> Math.exp(targetLogits[i] - vocabularyMass[i]));
    double[] nothing = new double[vocabularyMass.length];
    Arrays.fill(nothing, NOTHING);
    retrieved = external == null ? null : alone(external, nothing);
  }

  /**
   * The best mixing of these families; the earlier one where two are equally good.
   *
   * @param families at least one
   */
  public Choice best(Collection<Family> families) {
    Preconditions.checkArgument(!families.isEmpty(), "no family to choose from");
    ImmutableList.Builder<Best<MemoryMixing>> all = ImmutableList.builder();
    for (Family family : families) {
      all.add(best(family));
    }
    Best<MemoryMixing> best = lowest(all.build());
    return new Choice(best.candidate(), Math.exp(best.loss()));
  }

  private Best<MemoryMixing> best(Family family) {
    double[][] memory =
        switch (family) {
          case SHARED -> shared(recent, null);
          case ALL_SHARED -> shared(recent, external);
          case LINEAR -> recent == null ? new double[][] {vocabulary} : alone(recent, vocabulary);
        };
    ImmutableList<Pair> candidates = TEMPERATURES_ONLY;
    if (family == Family.LINEAR) {
      candidates = recent == null ? ImmutableList.of(new Pair(0, 0)) : PAIRS;
    }
    ImmutableList.Builder<Best<MemoryMixing>> all = ImmutableList.builder();
    for (Pair start : retrieved == null ? STARTS.subList(0, 1) : STARTS) {
      all.add(climb(family, memory, candidates, start));
    }
    return lowest(all.build());
  }

  /**
   * Improves both choices by turns.
   *
   * @param memory P_1 by temperature and position; in the linear form P of recent memory alone
   */
  private Best<MemoryMixing> climb(
      Family family, double[][] memory, ImmutableList<Pair> candidates, Pair start) {
    Pair own = candidates.get(0);
    Pair other = start;
    double loss = Double.POSITIVE_INFINITY;
    for (int round = 0; round < MAX_ROUNDS; round++) {
      Pair standing = other;
      Best<Pair> bestOwn = lowest(candidates, one -> loss(family, memory, one, standing));
      own = bestOwn.candidate();
      double found = bestOwn.loss();
      if (retrieved != null) {
        Pair chosen = own;
        Best<Pair> bestOther = lowest(PAIRS, one -> loss(family, memory, chosen, one));
        other = bestOther.candidate();
        found = bestOther.loss();
      }
      boolean last = retrieved == null || found > loss - SMALLEST_GAIN;
      loss = found;
      if (last) {
        break;
      }
    }
    return new Best<>(mixing(family, own, other), loss);
  }

  private MemoryMixing mixing(Family family, Pair own, Pair other) {
    double temperature = MassGrid.temperature(own.t());
    Mixing first =
        family == Family.LINEAR
            ? Mixing.linear(temperature, own.interpolation())
            : Mixing.shared(temperature);
    return external == null
        ? MemoryMixing.recentOnly(first)
        : new MemoryMixing(
            first,
            new ExternalMixing(
                family == Family.ALL_SHARED,
                MassGrid.temperature(other.t()),
                other.interpolation()));
  }

  /** The candidate of the lowest loss, the first of equal ones; measures several at a time. */
  private static <C> Best<C> lowest(ImmutableList<C> candidates, ToDoubleFunction<C> loss) {
    return lowest(
        candidates.parallelStream()
            .map(candidate -> new Best<>(candidate, loss.applyAsDouble(candidate)))
            .toList());
  }

  private static <C> Best<C> lowest(List<Best<C>> all) {
    Best<C> lowest = all.get(0);
    for (Best<C> one : all) {
      lowest = one.loss() < lowest.loss() ? one : lowest;
    }
    return lowest;
  }

  /** Mean -ln P_final(y). */
  private double loss(Family family, double[][] memory, Pair own, Pair other) {
    double[] base = family == Family.LINEAR ? vocabulary : memory[own.t()];
    double[] added = memory[own.t()];
    double weight = own.interpolation();
    double lambda = other.interpolation();
    double sum = 0;
    for (int i = 0; i < base.length; i++) {
      double mixed = (1 - weight) * base[i] + weight * added[i];
      if (retrieved != null && retrieved[other.t()][i] != NOTHING) {
        mixed = (1 - lambda) * mixed + lambda * retrieved[other.t()][i];
      }
      sum -= Math.log(Math.max(mixed, SMALLEST_PROBABILITY));
    }
    return sum / base.length;
  }

  /** P(y) of the items alone, by temperature and position; another value where there is none. */
  private static double[][] alone(MassGrid masses, double[] otherwise) {
    double[][] probabilities = new double[NUM_TEMPERATURES][masses.numPositions()];
    for (int t = 0; t < NUM_TEMPERATURES; t++) {
      for (int i = 0; i < masses.numPositions(); i++) {
        MemoryMass mass = masses.at(i, t);
        probabilities[t][i] =
            mass.isEmpty() ? otherwise[i] : Math.exp(mass.matching() - mass.all());
      }
    }
    return probabilities;
  }

  /** P(y) of the softmax over vocabulary and these memories, by temperature and position. */
  private double[][] shared(@Nullable MassGrid first, @Nullable MassGrid second) {
    double[][] probabilities = new double[NUM_TEMPERATURES][vocabularyMass.length];
    for (int t = 0; t < NUM_TEMPERATURES; t++) {
      Mixing mixing = Mixing.shared(MassGrid.temperature(t));
      for (int i = 0; i < vocabularyMass.length; i++) {
        MemoryMass mass = first == null ? MemoryMass.EMPTY : first.at(i, t);
        if (second != null) {
          mass = mass.plus(second.at(i, t));
        }
        probabilities[t][i] =
            Math.exp(mixing.logProbability(vocabularyMass[i], targetLogits[i], mass));
      }
    }
    return probabilities;
  }
}
