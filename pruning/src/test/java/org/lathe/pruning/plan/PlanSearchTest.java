package org.lathe.pruning.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.FailedException;
import org.lathe.pruning.budget.ExpectedSizes;
import org.lathe.pruning.budget.LatencyTable;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateLogits;
import org.lathe.pruning.gates.GateValues;
import org.lathe.testdata.SeededCases;

class PlanSearchTest {
  private static final TransformerConfig CONFIG = TransformerConfig.uniform(30, 16, 3, 4, 24, 8);

  /** Nine tenths of the time is in the sublayers; the first head costs most. */
  private static final LatencyTable TABLE =
      new LatencyTable(
          1,
          8,
          16,
          List.of(0.0, 2.0, 2.5, 3.5, 4.0),
          List.of(0, 8, 24),
          List.of(0.0, 1.5, 5.0),
          3.0,
          0.4);

  private static final Set<GateKind> ALL = EnumSet.allOf(GateKind.class);

  /** What the search walks along: rounded structures from untouched to nothing. */
  private static final double FINEST_SHIFT = 1.0 / 16;

  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void findsTheLeastPrunedStructureThatMeetsTheTarget(int roundTo) {
    SeededCases.run(
        25,
        random -> {
          GateLogits logits = randomLogits(random, ALL);
          double reduction = 0.05 + 0.85 * random.nextDouble();
          PruningTarget target =
              random.nextBoolean()
                  ? PruningTarget.sparsity(reduction)
                  : PruningTarget.speedup(
                      1 / (1 - 0.8 * reduction), java.util.List.of(TABLE), CONFIG);
          GateValues found = PlanSearch.meeting(target, logits, roundTo);
          double reached = achieved(target, found);
          assertThat(reached).isGreaterThanOrEqualTo(target.reduction());
          boolean onThePath = false;
          for (double shift = -16; shift <= 16; shift += FINEST_SHIFT) {
            GateValues other = GateValues.deterministic(shifted(logits, shift), roundTo);
            double otherReached = achieved(target, other);
            onThePath |= sameStructure(other, found);
            // whatever keeps more misses the target
            assertThat(otherReached >= reached || otherReached < target.reduction())
                .as("shift %s gives %s, found %s", shift, otherReached, reached)
                .isTrue();
          }
          assertThat(onThePath || isBetweenGridPoints(logits, found, roundTo)).isTrue();
        });
  }

  /** Logits that meet the target as they are would be pruned further by any larger shift. */
  @Test
  void anEasyTargetOpensGatesAgain() {
    GateLogits closedWide = randomLogits(new Random(3), ALL);
    GateValues asLearned = GateValues.deterministic(closedWide);
    PruningTarget easy = PruningTarget.sparsity(0.01);
    assertThat(achieved(easy, asLearned)).isGreaterThan(0.3);
    assertThat(achieved(easy, PlanSearch.meeting(easy, closedWide, 1))).isBetween(0.01, 0.05);
  }

  /** pruning.logAlphaLimit may be up to 20. */
  @Test
  void gatesFarOpenCanBeClosedToo() {
    float[] units = new float[72];
    for (int i = 0; i < units.length; i++) {
      units[i] = 19 + i / 100f;
    }
    GateLogits logits = new GateLogits(CONFIG, Map.of(GateKind.INTERMEDIATE, units));
    GateValues found = PlanSearch.meeting(PruningTarget.sparsity(0.3), logits, 1);
    assertThat(achieved(PruningTarget.sparsity(0.3), found)).isBetween(0.3, 0.31);
  }

  @Test
  void theOrderOfTheGatesDecidesWhatGoes() {
    GateLogits logits = randomLogits(new Random(9), EnumSet.of(GateKind.INTERMEDIATE));
    GateValues found = PlanSearch.meeting(PruningTarget.sparsity(0.3), logits, 1);
    float[] learned = logits.of(GateKind.INTERMEDIATE);
    for (int layer = 0; layer < CONFIG.numLayers(); layer++) {
      float[] gates = found.intermediate()[layer];
      for (int i = 0; i < gates.length; i++) {
        for (int j = 0; j < gates.length; j++) {
          if (gates[i] > 0 && gates[j] == 0) {
            assertThat(learned[layer * 24 + i]).isGreaterThanOrEqualTo(learned[layer * 24 + j]);
          }
        }
      }
    }
  }

  @Test
  void anUnreachableTargetFails() {
    GateLogits headsOnly = randomLogits(new Random(5), EnumSet.of(GateKind.HEADS));
    assertThatThrownBy(() -> PlanSearch.meeting(PruningTarget.sparsity(0.9), headsOnly, 1))
        .isInstanceOf(FailedException.class)
        .hasMessageContaining("no structure reaches the pruning target")
        .hasMessageContaining("0.9")
        .hasMessageContaining("pruning.gates");
    // all heads are 3 (4 (4 4 16 + 3 4) + 16) of 5,880 parameters
    double share = achieved(PruningTarget.sparsity(0), closed(headsOnly));
    GateValues empty = PlanSearch.meeting(PruningTarget.sparsity(share - 1e-9), headsOnly, 1);
    assertThat(empty.attentionLayer()).containsOnly(0);
    assertThat(empty.feedForwardLayer()).containsOnly(1);
  }

  private static GateValues closed(GateLogits logits) {
    return GateValues.deterministic(shifted(logits, 20));
  }

  private static double achieved(PruningTarget target, GateValues gates) {
    return target.achieved(CONFIG, ExpectedSizes.of(gates));
  }

  /** Two thirds near the limits, as training leaves them, one third in between. */
  private static GateLogits randomLogits(Random random, Set<GateKind> kinds) {
    Map<GateKind, float[]> values = new EnumMap<>(GateKind.class);
    for (GateKind kind : kinds) {
      float[] logits = new float[(int) kind.shape(CONFIG).size()];
      for (int i = 0; i < logits.length; i++) {
        double mean = new double[] {-6, 0, 6}[random.nextInt(3)];
        logits[i] = (float) Math.max(-7, Math.min(7, mean + random.nextGaussian()));
      }
      values.put(kind, logits);
    }
    return new GateLogits(CONFIG, values);
  }

  private static GateLogits shifted(GateLogits logits, double shift) {
    Map<GateKind, float[]> values = new EnumMap<>(GateKind.class);
    for (GateKind kind : GateKind.values()) {
      float[] learned = logits.of(kind);
      if (learned != null) {
        float[] moved = new float[learned.length];
        for (int i = 0; i < moved.length; i++) {
          moved[i] = (float) (learned[i] - shift);
        }
        values.put(kind, moved);
      }
    }
    return new GateLogits(CONFIG, values);
  }

  private static boolean sameStructure(GateValues a, GateValues b) {
    for (GateKind kind : GateKind.values()) {
      float[] left = a.flat(kind);
      float[] right = b.flat(kind);
      for (int i = 0; i < left.length; i++) {
        if ((left[i] > 0) != (right[i] > 0)) {
          return false;
        }
      }
    }
    return true;
  }

  /** Structures that the grid of shifts steps over. */
  private static boolean isBetweenGridPoints(GateLogits logits, GateValues found, int roundTo) {
    double reached = achieved(PruningTarget.sparsity(0), found);
    for (double shift = -16; shift < 16; shift += FINEST_SHIFT) {
      double here =
          achieved(
              PruningTarget.sparsity(0), GateValues.deterministic(shifted(logits, shift), roundTo));
      double next =
          achieved(
              PruningTarget.sparsity(0),
              GateValues.deterministic(shifted(logits, shift + FINEST_SHIFT), roundTo));
      if (here < reached && reached < next) {
        return true;
      }
    }
    return false;
  }
}
