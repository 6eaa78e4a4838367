package org.lathe.pruning.slimming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.lathe.graphs.config.Activation;
import org.lathe.graphs.config.NormPlacement;
import org.lathe.graphs.config.PositionEncoding;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.budget.ParameterCount;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.plan.PruningPlan;
import org.tensorflow.ndarray.Shape;

class SlimmerTest {
  private static final int[][][] INPUTS = {
    {{1, 2, 3, 4, 5}, {16, 0, 7, 7, 2}}, {{9, 9, 3}, {4, 15, 1}},
  };
  private static final int PLANS_PER_MODEL = 10;
  private static final int NUM_RANDOM_PLANS = 300;
  private static final int LONGEST = 8;

  static TransformerConfig config(NormPlacement norm, boolean tied, boolean finalNorm) {
    return TransformerConfig.uniform(17, 12, 3, 3, 10, 6)
        .withStyle(
            norm,
            tied ? PositionEncoding.SINUSOIDAL : PositionEncoding.LEARNED,
            tied ? Activation.RELU : Activation.GELU,
            tied,
            finalNorm);
  }

  @ParameterizedTest
  @CsvSource({
    "PRE, true, true, 0",
    "PRE, false, true, 0",
    "PRE, true, false, 0",
    "POST, true, false, 0",
    "POST, false, false, 0",
    "POST, false, true, 0",
    "PRE, true, true, 5",
    "POST, false, true, 5"
  })
  void slimComputesWhatTheGatedModelComputes(
      NormPlacement norm, boolean tied, boolean finalNorm, int keySize) {
    TransformerConfig config = config(norm, tied, finalNorm).withKeySize(keySize);
    Random random = new Random(11);
    Weights weights = TestDecoder.randomWeights(config, random);
    try (TestDecoder masked = TestDecoder.masked(config, weights)) {
      for (int i = 0; i < PLANS_PER_MODEL; i++) {
        PruningPlan plan = PruningPlan.from(config, randomGates(config, random, i));
        SlimModel slim = Slimmer.slim(config, weights, plan);
        assertThat(ParameterCount.count(slim.config())).isEqualTo(plan.keptParameters());
        try (TestDecoder small = TestDecoder.slim(slim)) {
          for (int[][] input : INPUTS) {
            compare(plan, masked.run(input, plan.gates()), small.run(input, plan.gates()));
          }
        }
      }
    }
  }

  /** 32 inputs of every length from 1 to the longest, sublayers dead, gates fractional. */
  @ParameterizedTest
  @EnumSource
  void slimAndGatedModelAgreeOn256Inputs(NormPlacement norm) {
    TransformerConfig config =
        TransformerConfig.uniform(20, 16, 3, 4, 12, LONGEST)
            .withStyle(norm, PositionEncoding.LEARNED, Activation.GELU, true, true);
    Random random = new Random(29);
    GateValues gates = randomGates(config, random, 1);
    Arrays.fill(gates.attentionLayer(), 0.8f);
    Arrays.fill(gates.feedForwardLayer(), 0.9f);
    gates.attentionLayer()[1] = 0;
    gates.feedForwardLayer()[0] = 0;
    gates.heads()[0][2] = 0.35f;
    PruningPlan plan = PruningPlan.from(config, gates);
    assertThat(plan.layers().get(1).keptHeads()).isEmpty();
    assertThat(plan.layers().get(0).keptIntermediate()).isEmpty();
    Weights weights = TestDecoder.randomWeights(config, random);
    int vocabularySize = config.vocabularySize();
    try (TestDecoder masked = TestDecoder.masked(config, weights);
        TestDecoder slim = TestDecoder.slim(Slimmer.slim(config, weights, plan))) {
      for (int length = 1; length <= LONGEST; length++) {
        int[][] input = new int[32][];
        for (int i = 0; i < input.length; i++) {
          input[i] = random.ints(length, 0, vocabularySize).toArray();
        }
        List<float[]> expected = masked.run(input, plan.gates());
        List<float[]> found = slim.run(input, plan.gates());
        compare(plan, expected, found);
        assertThat(mostLikely(last(found), vocabularySize))
            .isEqualTo(mostLikely(last(expected), vocabularySize));
      }
    }
  }

  /** Small enough for hundreds of structures, from untouched to empty. */
  @Test
  void slimComputesWhatTheGatedModelComputesForHundredsOfPlans() {
    TransformerConfig config = TransformerConfig.uniform(20, 16, 2, 4, 8, 6);
    Random random = new Random(31);
    Weights weights = TestDecoder.randomWeights(config, random);
    Set<Long> sizes = new HashSet<>();
    try (TestDecoder masked = TestDecoder.masked(config, weights)) {
      for (int i = 0; i < NUM_RANDOM_PLANS; i++) {
        PruningPlan plan = PruningPlan.from(config, randomGates(config, random, i));
        sizes.add(plan.keptParameters());
        int[][] input = new int[3][];
        int length = 1 + random.nextInt(config.maxPositions());
        for (int row = 0; row < input.length; row++) {
          input[row] = random.ints(length, 0, config.vocabularySize()).toArray();
        }
        try (TestDecoder slim = TestDecoder.slim(Slimmer.slim(config, weights, plan))) {
          compare(plan, masked.run(input, plan.gates()), slim.run(input, plan.gates()));
        }
      }
    }
    assertThat(sizes).hasSizeGreaterThan(NUM_RANDOM_PLANS / 2);
  }

  private static float[] last(List<float[]> outputs) {
    return outputs.get(outputs.size() - 1);
  }

  private static int[] mostLikely(float[] logits, int vocabularySize) {
    int[] best = new int[logits.length / vocabularySize];
    for (int row = 0; row < best.length; row++) {
      for (int word = 0; word < vocabularySize; word++) {
        if (logits[row * vocabularySize + word] > logits[row * vocabularySize + best[row]]) {
          best[row] = word;
        }
      }
    }
    return best;
  }

  private static void compare(PruningPlan plan, List<float[]> masked, List<float[]> slim) {
    int full = plan.config().hiddenSize();
    List<Integer> kept = plan.keptHidden();
    int last = masked.size() - 1;
    boolean learnedKeys = plan.config().keySize() != null;
    for (int i = 0; i < last; i++) {
      if (learnedKeys && i == last - TestDecoder.TAP_BEFORE_LAST) {
        assertClose(slim.get(i), masked.get(i)); // no gate closes a dimension of theirs
        continue;
      }
      float[] wide = masked.get(i);
      float[] expected = new float[wide.length / full * kept.size()];
      for (int j = 0; j < expected.length; j++) {
        expected[j] = wide[j / kept.size() * full + kept.get(j % kept.size())];
      }
      assertClose(slim.get(i), expected);
    }
    assertClose(slim.get(last), masked.get(last));
  }

  private static void assertClose(float[] found, float[] expected) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < found.length; i++) {
      assertThat(Math.abs(found[i] - expected[i]))
          .isLessThanOrEqualTo(1e-5f * (1 + Math.abs(expected[i])));
    }
  }

  @Test
  void foreignPlansAndWeightsAreRefused() {
    TransformerConfig config = config(NormPlacement.PRE, true, true);
    TransformerConfig other = config(NormPlacement.POST, true, true);
    Weights weights = TestDecoder.randomWeights(config, new Random(1));
    PruningPlan plan = PruningPlan.from(config, GateValues.allOpen(config));
    assertThatThrownBy(() -> Slimmer.slim(other, weights, PruningPlan.from(config, plan.gates())))
        .isInstanceOf(GraphMismatchException.class);
    Weights incomplete = new Weights().put("decoder/x", Shape.of(1), new float[1]);
    assertThatThrownBy(() -> Slimmer.slim(config, incomplete, plan))
        .isInstanceOf(GraphMismatchException.class)
        .hasMessageContaining("decoder/embedding/tokens is missing");
  }

  @Test
  void anOpenPlanChangesNothing() {
    TransformerConfig config = config(NormPlacement.PRE, false, true);
    Weights weights = TestDecoder.randomWeights(config, new Random(2));
    PruningPlan plan = PruningPlan.from(config, GateValues.allOpen(config));
    SlimModel slim = Slimmer.slim(config, weights, plan);
    assertThat(slim.config()).isEqualTo(config);
    assertThat(plan.sparsity()).isZero();
    assertThat(slim.weights().names()).isEqualTo(weights.names());
    for (String name : weights.names()) {
      assertThat(slim.weights().get(name).values()).isEqualTo(weights.get(name).values());
    }
  }

  /** Cycles through fractional, binary, dead sublayers, empty layers and all-ones. */
  static GateValues randomGates(TransformerConfig config, Random random, int index) {
    GateValues gates = GateValues.allOpen(config);
    if (index == 0) {
      return gates;
    }
    boolean fractional = index % 3 != 0;
    draw(gates.hidden(), random, 0.75, fractional);
    for (int i = 0; i < 3; i++) {
      gates.hidden()[i] = Math.max(gates.hidden()[i], 0.3f); // a norm over one value is chaotic
    }
    for (int layer = 0; layer < config.numLayers(); layer++) {
      draw(gates.heads()[layer], random, 0.6, fractional);
      draw(gates.intermediate()[layer], random, index % 4 == 1 ? 0.1 : 0.6, fractional);
    }
    draw(gates.attentionLayer(), random, 0.7, fractional);
    draw(gates.feedForwardLayer(), random, 0.7, fractional);
    if (index == 5) {
      gates.attentionLayer()[config.numLayers() - 1] = 0;
      gates.feedForwardLayer()[config.numLayers() - 1] = 0;
    }
    if (index == 7) {
      Arrays.fill(gates.attentionLayer(), 0);
      Arrays.fill(gates.feedForwardLayer(), 0);
    }
    return gates;
  }

  private static void draw(float[] gates, Random random, double open, boolean fractional) {
    for (int i = 0; i < gates.length; i++) {
      float value = fractional ? 0.2f + 0.8f * random.nextFloat() : 1;
      gates[i] = random.nextDouble() < open ? value : 0;
    }
  }
}
