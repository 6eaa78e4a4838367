package org.lathe.training.memory;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Chooses temperatures and interpolations on validation text from masses that are computed once. By
 * turns, the mixing of recent memory is chosen among all its candidates while that of retrieved
 * items stands still, and the other way round, until nothing improves. Each turn looks at every
 * pair on the grid, so that with one memory alone the result is the best of all candidates.
 *
 * <p>Where positions are sorted into buckets, the search goes on from the best constant
 * interpolation with a weight for each bucket: on the text it is tuned on the result is never worse
 * than that. Given the temperature the buckets' weights do not depend on each other.
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

  /** A temperature by its index in the grid, and an interpolation for each bucket. */
  private record Weights(int t, ImmutableList<Double> interpolations) {
    static Weights constant(int t, double interpolation, int numBuckets) {
      return new Weights(t, ImmutableList.copyOf(Collections.nCopies(numBuckets, interpolation)));
    }
  }

  private record Both(Pair own, Weights other) {}

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

  private static final ImmutableList<Integer> TEMPERATURES =
      IntStream.range(0, NUM_TEMPERATURES).boxed().collect(ImmutableList.toImmutableList());

  /** Where the climb starts: without P', and near TRIME's published tau' 0.33 and lambda 0.3. */
  private static final ImmutableList<Weights> STARTS =
      ImmutableList.of(Weights.constant(8, 0, 1), Weights.constant(14, 0.3, 1));

  private final double[] vocabularyMass;
  private final double[] targetLogits;
  private final @Nullable MassGrid recent;
  private final @Nullable MassGrid external;
  private final InterpolationBuckets buckets;

  /** Bucket of each position. */
  private final int[] bucketOf;

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
    this(
        vocabularyMass,
        targetLogits,
        recent,
        external,
        InterpolationBuckets.ONE,
        new double[vocabularyMass.length]);
  }

  /**
   * @param buckets each with an interpolation of its own
   * @param features of each position, by which it belongs to a bucket
   */
  public MixingTuner(
      double[] vocabularyMass,
      double[] targetLogits,
      @Nullable MassGrid recent,
      @Nullable MassGrid external,
      InterpolationBuckets buckets,
      double[] features) {
    Preconditions.checkArgument(vocabularyMass.length > 0, "there is no position to tune on");
    this.vocabularyMass = vocabularyMass;
    this.targetLogits = targetLogits;
    this.recent = recent;
    this.external = external;
    this.buckets = buckets;
    bucketOf = new int[features.length];
    Arrays.setAll(bucketOf, i -> buckets.of(features[i]));
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
    ImmutableList.Builder<Best<Both>> all = ImmutableList.builder();
    for (Weights start : retrieved == null ? STARTS.subList(0, 1) : STARTS) {
      all.add(climb(family, memory, candidates, start, new int[bucketOf.length]));
    }
    Best<Both> best = lowest(all.build());
    if (retrieved == null || buckets.size() == 1) {
      return new Best<>(mixing(family, best.candidate(), InterpolationBuckets.ONE), best.loss());
    }
    Weights constant = best.candidate().other();
    Weights start =
        Weights.constant(constant.t(), constant.interpolations().get(0), buckets.size());
    Best<Both> adaptive = climb(family, memory, candidates, start, bucketOf);
    return new Best<>(mixing(family, adaptive.candidate(), buckets), adaptive.loss());
  }

  /**
   * Improves both choices by turns.
   *
   * @param memory P_1 by temperature and position; in the linear form P of recent memory alone
   * @param bucketOf bucket of each position, for which start has a weight
   */
  private Best<Both> climb(
      Family family,
      double[][] memory,
      ImmutableList<Pair> candidates,
      Weights start,
      int[] bucketOf) {
    Pair own = candidates.get(0);
    Weights other = start;
    double loss = Double.POSITIVE_INFINITY;
    for (int round = 0; round < MAX_ROUNDS; round++) {
      Weights standing = other;
      Best<Pair> bestOwn = lowest(candidates, one -> loss(family, memory, one, standing, bucketOf));
      own = bestOwn.candidate();
      double found = bestOwn.loss();
      if (retrieved != null) {
        Pair chosen = own;
        int numBuckets = start.interpolations().size();
        Best<Weights> bestOther =
            lowest(
                TEMPERATURES.parallelStream()
                    .map(t -> bestWeights(family, memory, chosen, t, bucketOf, numBuckets))
                    .toList());
        other = bestOther.candidate();
        found = bestOther.loss();
      }
      boolean last = retrieved == null || found > loss - SMALLEST_GAIN;
      loss = found;
      if (last) {
        break;
      }
    }
    return new Best<>(new Both(own, other), loss);
  }

  private MemoryMixing mixing(Family family, Both both, InterpolationBuckets sorted) {
    Pair own = both.own();
    Weights other = both.other();
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
                new AdaptiveInterpolation(sorted, other.interpolations())));
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
  private double loss(Family family, double[][] memory, Pair own, Weights other, int[] bucketOf) {
    double[] base = family == Family.LINEAR ? vocabulary : memory[own.t()];
    double[] added = memory[own.t()];
    double weight = own.interpolation();
    double sum = 0;
    for (int i = 0; i < base.length; i++) {
      double mixed = (1 - weight) * base[i] + weight * added[i];
      if (retrieved != null) {
        double lambda = other.interpolations().get(bucketOf[i]);
        mixed = withRetrieved(mixed, lambda, retrieved[other.t()][i]);
      }
      sum -= Math.log(Math.max(mixed, SMALLEST_PROBABILITY));
    }
    return sum / base.length;
  }

  /** The best weight of each bucket at one temperature of the retrieved items, and their loss. */
  private Best<Weights> bestWeights(
      Family family, double[][] memory, Pair own, int t, int[] bucketOf, int numBuckets) {
    double[] base = family == Family.LINEAR ? vocabulary : memory[own.t()];
    double[] added = memory[own.t()];
    double[] alone = Objects.requireNonNull(retrieved)[t];
    double weight = own.interpolation();
    double[][] sums = new double[numBuckets][INTERPOLATIONS.size()];
    for (int i = 0; i < base.length; i++) {
      double mixed = (1 - weight) * base[i] + weight * added[i];
      double[] bucket = sums[bucketOf[i]];
      for (int w = 0; w < bucket.length; w++) {
        double probability = withRetrieved(mixed, INTERPOLATIONS.get(w), alone[i]);
        bucket[w] -= Math.log(Math.max(probability, SMALLEST_PROBABILITY));
      }
    }
    ImmutableList.Builder<Double> weights = ImmutableList.builder();
    double sum = 0;
    for (double[] bucket : sums) {
      int best = 0;
      for (int w = 1; w < bucket.length; w++) {
        best = bucket[w] / base.length < bucket[best] / base.length ? w : best;
      }
      weights.add(INTERPOLATIONS.get(best));
      sum += bucket[best];
    }
    return new Best<>(new Weights(t, weights.build()), sum / base.length);
  }

  /** P_final(y) from P_1(y) and P'(y). */
  private static double withRetrieved(double first, double lambda, double alone) {
    return alone == NOTHING ? first : (1 - lambda) * first + lambda * alone;
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
