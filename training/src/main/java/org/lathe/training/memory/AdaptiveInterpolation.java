package org.lathe.training.memory;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import java.util.List;

/**
 * lambda, the weight of retrieved items, by bucket of positions. One bucket is the constant lambda
 * of kNN-LM and TRIME.
 *
 * @param weights lambda of each bucket in [0, 1)
 */
public record AdaptiveInterpolation(InterpolationBuckets buckets, List<Double> weights) {

  public AdaptiveInterpolation {
    weights = ImmutableList.copyOf(weights);
    Preconditions.checkArgument(
        weights.size() == buckets.size(),
        "%s interpolations for %s buckets",
        weights.size(),
        buckets.size());
    for (double weight : weights) {
      Preconditions.checkArgument(
          weight >= 0 && weight < 1, "interpolation (%s) must be in [0, 1)", weight);
    }
  }

  /** The same lambda everywhere. */
  public static AdaptiveInterpolation constant(double weight) {
    return new AdaptiveInterpolation(InterpolationBuckets.ONE, ImmutableList.of(weight));
  }

  public boolean isConstant() {
    return buckets.size() == 1;
  }

  /**
   * The one lambda of all positions.
   *
   * @throws IllegalStateException where positions differ
   */
  public double constantWeight() {
    Preconditions.checkState(isConstant(), "the interpolation differs between positions: %s", this);
    return weights.get(0);
  }

  /**
   * lambda of a position.
   *
   * @param feature as the buckets say; not read where lambda is constant
   */
  public double at(double feature) {
    return weights.get(buckets.of(feature));
  }
}
