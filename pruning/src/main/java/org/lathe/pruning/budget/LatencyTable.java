package org.lathe.pruning.budget;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import com.google.common.primitives.Doubles;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.function.IntToDoubleFunction;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateValues;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * Measured time of one sublayer by its size, for one batch size and length, at full hidden size:
 * time does not follow the number of operations (12 to 9 heads may gain nothing), so a speed target
 * needs a table. Between measured sizes it is linear.
 *
 * <pre>
 * expected ms = other + h sum_l (p_attention,l A(E n_l) + p_feedForward,l F(E f_l))
 * h           = a + (1 - a) E d / D
 * </pre>
 *
 * @param hiddenSize D at which it was measured
 * @param attentionMs by number of heads, 0 to N; the first is 0
 * @param feedForwardWidths increasing, from 0 to F
 * @param feedForwardMs by width; the first is 0
 * @param otherMs what pruning leaves; 0 when only sublayers are of interest
 * @param hiddenIndependentShare a: share of a sublayer's time that does not shrink with the hidden
 *     size; 1 = pruning hidden dimensions is taken to save no time
 */
public record LatencyTable(
    int batchSize,
    int length,
    int hiddenSize,
    List<Double> attentionMs,
    List<Integer> feedForwardWidths,
    List<Double> feedForwardMs,
    double otherMs,
    double hiddenIndependentShare) {

  /** What to measure. */
  public record Sizes(int batchSize, int length, List<Integer> feedForwardWidths) {
    public Sizes {
      Preconditions.checkArgument(batchSize > 0, "batchSize (%s) must be positive", batchSize);
      Preconditions.checkArgument(length > 0, "length (%s) must be positive", length);
      feedForwardWidths = ImmutableList.copyOf(feedForwardWidths);
    }

    /** Widths F, 3F/4, F/2, F/4, F/8, ... down to 8: dense where the curve bends. */
    public static Sizes of(int batchSize, int length, TransformerConfig config) {
      int full = GateKind.requireUniform(config).intermediateSize();
      TreeSet<Integer> widths = new TreeSet<>();
      for (int width = full; width >= 8; width /= 2) {
        widths.add(width);
        widths.add(Math.max(1, width * 3 / 4));
      }
      widths.add(full);
      return new Sizes(batchSize, length, List.copyOf(widths));
    }
  }

  public LatencyTable {
    Preconditions.checkArgument(
        batchSize > 0 && length > 0 && hiddenSize > 0,
        "batchSize (%s), length (%s) and hiddenSize (%s) must be positive",
        batchSize,
        length,
        hiddenSize);
    attentionMs = ImmutableList.copyOf(attentionMs);
    feedForwardWidths = ImmutableList.copyOf(feedForwardWidths);
    feedForwardMs = ImmutableList.copyOf(feedForwardMs);
    Preconditions.checkArgument(
        attentionMs.size() >= 2, "attentionMs needs the times of 0 and at least one head");
    Preconditions.checkArgument(
        feedForwardWidths.size() >= 2 && feedForwardWidths.size() == feedForwardMs.size(),
        "%s feedForwardWidths with %s feedForwardMs: two or more of each needed",
        feedForwardWidths.size(),
        feedForwardMs.size());
    checkTimes("attentionMs", attentionMs);
    checkTimes("feedForwardMs", feedForwardMs);
    Preconditions.checkArgument(feedForwardWidths.get(0) == 0, "feedForwardWidths must start at 0");
    for (int i = 1; i < feedForwardWidths.size(); i++) {
      Preconditions.checkArgument(
          feedForwardWidths.get(i) > feedForwardWidths.get(i - 1),
          "feedForwardWidths must increase: %s",
          feedForwardWidths);
    }
    Preconditions.checkArgument(
        otherMs >= 0 && Doubles.isFinite(otherMs), "otherMs (%s) must not be negative", otherMs);
    Preconditions.checkArgument(
        hiddenIndependentShare >= 0 && hiddenIndependentShare <= 1,
        "hiddenIndependentShare (%s) must be in [0, 1]",
        hiddenIndependentShare);
  }

  /** How often {@link #measure} times each size. */
  public static final int NUM_PASSES = 2;

  /**
   * Measures every number of heads and the given widths, {@link #NUM_PASSES} times: once from small
   * to large, once back, and the whole model before and after. Other work on the machine only ever
   * slows a call and comes in bursts, so the faster time of a size counts; what is still out of
   * order is smoothed by {@link RisingFit}, so that growing never seems to pay.
   *
   * @throws org.lathe.graphs.errors.ConfigException when the model's blocks differ
   */
  public static LatencyTable measure(TransformerConfig config, Sizes sizes, SublayerTimer timer) {
    BlockShape block = GateKind.requireUniform(config);
    int batchSize = sizes.batchSize();
    int length = sizes.length();
    TreeSet<Integer> widths = new TreeSet<>(sizes.feedForwardWidths());
    widths.add(block.intermediateSize());
    widths.remove(0);
    List<Integer> gridWidths = new ArrayList<>(List.of(0));
    gridWidths.addAll(widths);
    double otherBeforeMs = timer.otherMs(config, batchSize, length);
    double wholeBeforeMs = timer.wholeModelMs(config, batchSize, length);
    double[] attentionMs =
        fastest(block.numHeads() + 1, n -> timer.attentionMs(config, batchSize, length, n));
    double[] feedForwardMs =
        fastest(
            gridWidths.size(),
            i -> timer.feedForwardMs(config, batchSize, length, gridWidths.get(i)));
    List<Double> attention = Doubles.asList(attentionMs);
    List<Double> feedForward = Doubles.asList(feedForwardMs);
    double otherMs = Math.min(otherBeforeMs, timer.otherMs(config, batchSize, length));
    double wholeMs = Math.min(wholeBeforeMs, timer.wholeModelMs(config, batchSize, length));
    LatencyTable measured =
        new LatencyTable(
            batchSize, length, config.hiddenSize(), attention, gridWidths, feedForward, otherMs, 1);
    // a sublayer inside a whole model is slower than in a chain of its own kind: one factor makes
    // the full model's sublayers add up to what the whole model was measured to take
    double factor = (wholeMs - otherMs) / (measured.fullMs(config) - otherMs);
    return factor > 1 ? measured.withSublayersScaled(factor) : measured;
  }

  /** The first of so many sizes is nothing and takes no time. */
  private static double[] fastest(int numSizes, IntToDoubleFunction measured) {
    double[] times = new double[numSizes];
    Arrays.fill(times, 1, numSizes, Double.POSITIVE_INFINITY);
    for (int pass = 0; pass < NUM_PASSES; pass++) {
      for (int i = 1; i < numSizes; i++) {
        int size = pass % 2 == 0 ? i : numSizes - i;
        times[size] = Math.min(times[size], measured.applyAsDouble(size));
      }
    }
    return RisingFit.of(times);
  }

  private LatencyTable withSublayersScaled(double factor) {
    return new LatencyTable(
        batchSize,
        length,
        hiddenSize,
        attentionMs.stream().map(ms -> ms * factor).toList(),
        feedForwardWidths,
        feedForwardMs.stream().map(ms -> ms * factor).toList(),
        otherMs,
        hiddenIndependentShare);
  }

  /** The same table with another share, see the record. */
  public LatencyTable withHiddenIndependentShare(double share) {
    return new LatencyTable(
        batchSize,
        length,
        hiddenSize,
        attentionMs,
        feedForwardWidths,
        feedForwardMs,
        otherMs,
        share);
  }

  /** Milliseconds of the full model. */
  public double fullMs(TransformerConfig config) {
    return expectedMs(ExpectedSizes.of(GateValues.allOpen(config)));
  }

  /** What no speed-up reaches: the full model's time over what pruning leaves. */
  public double speedupLimit(TransformerConfig config) {
    return fullMs(config) / otherMs;
  }

  /** Milliseconds at expected or exact sizes. */
  public double expectedMs(ExpectedSizes sizes) {
    PiecewiseLinear attention = attentionCurve();
    PiecewiseLinear feedForward = feedForwardCurve();
    double sum = 0;
    for (int layer = 0; layer < sizes.heads().length; layer++) {
      sum += sizes.attentionLayer()[layer] * attention.at(sizes.heads()[layer]);
      sum += sizes.feedForwardLayer()[layer] * feedForward.at(sizes.units()[layer]);
    }
    double share = hiddenIndependentShare;
    return otherMs + sum * (share + (1 - share) * sizes.hidden() / hiddenSize);
  }

  /** Milliseconds at expected sizes, a scalar that is differentiable in the gate logits. */
  public Operand<TFloat32> expectedMs(Ops tf, ExpectedSizeOps sizes) {
    Operand<TFloat32> sublayersL =
        tf.math.add(
            tf.math.mul(sizes.attentionLayer(), attentionCurve().at(tf, sizes.heads())),
            tf.math.mul(sizes.feedForwardLayer(), feedForwardCurve().at(tf, sizes.units())));
    double share = hiddenIndependentShare;
    Operand<TFloat32> hiddenFactor =
        tf.math.add(
            tf.constant((float) share),
            tf.math.mul(sizes.hidden(), tf.constant((float) ((1 - share) / hiddenSize))));
    return tf.math.add(
        tf.constant((float) otherMs),
        tf.math.mul(tf.reduceSum(sublayersL, tf.constant(0)), hiddenFactor));
  }

  /** F of the table. */
  @JsonIgnore
  public int maxFeedForwardWidth() {
    return feedForwardWidths.get(feedForwardWidths.size() - 1);
  }

  /** N of the table. */
  @JsonIgnore
  public int numHeads() {
    return attentionMs.size() - 1;
  }

  private PiecewiseLinear attentionCurve() {
    double[] numHeads = new double[attentionMs.size()];
    for (int i = 0; i < numHeads.length; i++) {
      numHeads[i] = i;
    }
    return new PiecewiseLinear(numHeads, Doubles.toArray(attentionMs));
  }

  private PiecewiseLinear feedForwardCurve() {
    return new PiecewiseLinear(Doubles.toArray(feedForwardWidths), Doubles.toArray(feedForwardMs));
  }

  private static void checkTimes(String name, List<Double> times) {
    Preconditions.checkArgument(times.get(0) == 0, "%s must start with 0", name);
    for (double time : times) {
      Preconditions.checkArgument(
          time >= 0 && Doubles.isFinite(time), "%s holds %s, no time", name, time);
    }
  }
}
