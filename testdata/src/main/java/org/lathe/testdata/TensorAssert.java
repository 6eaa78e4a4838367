package org.lathe.testdata;

import org.assertj.core.api.AbstractAssert;

/** Assertions on row-major arrays that name the worst entry. */
public final class TensorAssert extends AbstractAssert<TensorAssert, double[]> {
  private TensorAssert(double[] actual) {
    super(actual, TensorAssert.class);
  }

  public static TensorAssert assertThatTensor(double[] actual) {
    return new TensorAssert(actual);
  }

  public static TensorAssert assertThatTensor(float[] actual) {
    double[] values = new double[actual.length];
    for (int i = 0; i < actual.length; i++) {
      values[i] = actual[i];
    }
    return new TensorAssert(values);
  }

  /** |actual - expected| at most tolerance * max(1, |expected|) in every entry. */
  public TensorAssert isCloseTo(double[] expected, double tolerance) {
    requireSize(expected.length);
    int worst = -1;
    double worstError = tolerance;
    for (int i = 0; i < expected.length; i++) {
      double error = Math.abs(actual[i] - expected[i]) / Math.max(1, Math.abs(expected[i]));
      // written so that NaN is the worst of all
      if (!(error <= worstError)) {
        worst = i;
        worstError = error;
      }
    }
    if (worst >= 0) {
      failWithMessage(
          "Expected entry %s of %s to be %s within %s, found %s (relative error %s)",
          worst, expected.length, expected[worst], tolerance, actual[worst], worstError);
    }
    return this;
  }

  /** Equal to the last bit. */
  public TensorAssert hasSameBitsAs(double[] expected) {
    requireSize(expected.length);
    for (int i = 0; i < expected.length; i++) {
      if (Double.doubleToRawLongBits(actual[i]) != Double.doubleToRawLongBits(expected[i])) {
        failWithMessage(
            "Expected entry %s of %s to be exactly %s, found %s",
            i, expected.length, expected[i], actual[i]);
      }
    }
    return this;
  }

  /** Some entry differs by more than the tolerance: guards tests against comparing nothing. */
  public TensorAssert differsFrom(double[] other, double tolerance) {
    requireSize(other.length);
    for (int i = 0; i < other.length; i++) {
      if (Math.abs(actual[i] - other[i]) > tolerance) {
        return this;
      }
    }
    failWithMessage("Expected a difference above %s, found none", tolerance);
    return this;
  }

  /** No NaN and no infinity. */
  public TensorAssert isFinite() {
    for (int i = 0; i < actual.length; i++) {
      if (!Double.isFinite(actual[i])) {
        failWithMessage("Expected finite values, found %s at entry %s", actual[i], i);
      }
    }
    return this;
  }

  private void requireSize(int size) {
    isNotNull();
    if (actual.length != size) {
      failWithMessage("Expected %s entries, found %s", size, actual.length);
    }
  }
}
