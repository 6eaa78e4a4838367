package org.lathe.pruning.importance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.gates.GateValues;
import org.lathe.testdata.SeededCases;

class BudgetSearchTest {
  private static final TransformerConfig FULL = TinyTask.WIDE;
  private static final int NUM_LAYERS = 3;
  private static final int NUM_HEADS = 4;
  private static final int NUM_UNITS = 24;

  /** Every number of heads with every number of units, by thresholds on the scores. */
  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void noOtherNumberOfHeadsAndUnitsRemovesLess(int roundTo) {
    SeededCases.run(
        15,
        random -> {
          UnitScores scores = randomScores(random);
          double reduction = 0.05 + 0.85 * random.nextDouble();
          PruningTarget target =
              random.nextBoolean()
                  ? PruningTarget.sparsity(reduction)
                  : PruningTarget.speedup(1 / (1 - 0.8 * reduction), List.of(TinyTask.TABLE), FULL);
          GateValues found = BudgetSearch.meeting(target, FULL, scores, roundTo);
          assertThat(Structures.achieved(target, FULL, found))
              .isGreaterThanOrEqualTo(target.reduction());
          double least = Double.POSITIVE_INFINITY;
          for (double headThreshold : thresholds(scores.heads())) {
            for (double unitThreshold : thresholds(scores.intermediate())) {
              GateValues other = kept(scores, headThreshold, unitThreshold, roundTo);
              if (Structures.achieved(target, FULL, other) >= target.reduction()) {
                least = Math.min(least, removed(scores, other));
              }
            }
          }
          assertThat(removed(scores, found)).isCloseTo(least, within(1e-9));
        });
  }

  private static UnitScores randomScores(Random random) {
    double[][] heads = new double[NUM_LAYERS][];
    double[][] units = new double[NUM_LAYERS][];
    for (int layer = 0; layer < NUM_LAYERS; layer++) {
      heads[layer] = random.doubles(NUM_HEADS).map(x -> 10 * x * x).toArray();
      units[layer] = random.doubles(NUM_UNITS).map(x -> x * x).toArray();
    }
    return new UnitScores(heads, units);
  }

  /** Each score, and above all. */
  private static TreeSet<Double> thresholds(double[][] scores) {
    TreeSet<Double> thresholds = new TreeSet<>(List.of(Double.POSITIVE_INFINITY));
    for (double[] row : scores) {
      for (double score : row) {
        thresholds.add(score);
      }
    }
    return thresholds;
  }

  private static GateValues kept(UnitScores scores, double headLeast, double unitLeast, int round) {
    GateValues gates = GateValues.allOpen(FULL);
    for (int layer = 0; layer < NUM_LAYERS; layer++) {
      keep(scores.heads()[layer], headLeast, 1, gates.heads()[layer]);
      keep(scores.intermediate()[layer], unitLeast, round, gates.intermediate()[layer]);
    }
    return gates.closed();
  }

  private static void keep(double[] scores, double least, int round, float[] gates) {
    TreeSet<Double> sorted = new TreeSet<>();
    int count = 0;
    for (double score : scores) {
      sorted.add(score);
      count += score >= least ? 1 : 0;
    }
    int rounded = (int) Math.ceil((double) count / round) * round;
    for (int i = 0; i < gates.length; i++) {
      gates[i] = sorted.tailSet(scores[i], false).size() < rounded ? 1 : 0;
    }
  }

  private static double removed(UnitScores scores, GateValues gates) {
    double sum = 0;
    for (int layer = 0; layer < NUM_LAYERS; layer++) {
      for (int i = 0; i < NUM_HEADS; i++) {
        sum += gates.heads()[layer][i] > 0 ? 0 : scores.heads()[layer][i];
      }
      for (int i = 0; i < NUM_UNITS; i++) {
        sum += gates.intermediate()[layer][i] > 0 ? 0 : scores.intermediate()[layer][i];
      }
    }
    return sum;
  }
}
