package org.lathe.pruning.gates;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.pruning.Evaluate;
import org.tensorflow.Operand;
import org.tensorflow.types.TFloat32;

class GateSetTest {
  private static final TransformerConfig CONFIG = TransformerConfig.uniform(11, 8, 2, 4, 16, 6);

  private static List<float[]> sample(int seed, int step) {
    return Evaluate.graph(
        (tf, catalog) -> {
          GateSet gates =
              GateSet.sampled(
                  tf,
                  catalog,
                  CONFIG,
                  EnumSet.allOf(GateKind.class),
                  new InitialLogAlpha(-1.6, -1.6),
                  seed,
                  tf.constant(step));
          assertThat(catalog.of(VariableGroup.GATE)).hasSize(5);
          assertThat(catalog.get("gates/intermediate").shape().asArray()).containsExactly(2, 16);
          return List.of(
              gates.hidden(),
              gates.intermediate(0),
              gates.intermediate(1),
              gates.heads(1),
              gates.attentionLayer(0),
              catalog.get("gates/intermediate").read());
        });
  }

  @Test
  void seedAndStepFixTheSample() {
    List<float[]> first = sample(3, 7);
    assertThat(sample(3, 7).get(1)).isEqualTo(first.get(1));
    assertThat(sample(3, 8).get(1)).isNotEqualTo(first.get(1));
    assertThat(sample(4, 7).get(1)).isNotEqualTo(first.get(1));
    assertThat(first.get(2)).isNotEqualTo(first.get(1));
    assertThat(first.get(0)).hasSize(8);
    assertThat(first.get(3)).hasSize(4);
    assertThat(first.get(4)).hasSize(1);
    for (float logit : first.get(5)) {
      assertThat(logit).isBetween(-1.63f, -1.57f);
    }
  }

  @Test
  void kindsThatAreOffMultiplyNothing() {
    Evaluate.graph(
        (tf, catalog) -> {
          GateSet gates = GateSet.fed(tf, CONFIG, EnumSet.of(GateKind.HEADS));
          assertThat(gates.hidden()).isNull();
          assertThat(gates.intermediate(0)).isNull();
          assertThat(gates.heads(0)).isNotNull();
          assertThat(catalog.all()).isEmpty();
          assertThatThrownBy(() -> gates.openProbability(GateKind.HEADS))
              .isInstanceOf(IllegalStateException.class);
          return List.of(tf.constant(1f));
        });
  }

  @Test
  void raggedModelsAreRefused() {
    TransformerConfig ragged =
        CONFIG.withBlocks(8, List.of(new BlockShape(4, 16), new BlockShape(4, 8)));
    assertThatThrownBy(() -> GateKind.HEADS.shape(ragged))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("layer 1");
  }

  @Test
  void deterministicGatesKeepTheBest() {
    Map<GateKind, float[]> logits = new HashMap<>();
    float[] heads = new float[8];
    // layer 0: two open; layer 1: all closed
    heads[0] = 7;
    heads[1] = -7;
    heads[2] = -7;
    heads[3] = 7;
    for (int i = 4; i < 8; i++) {
      heads[i] = -7;
    }
    logits.put(GateKind.HEADS, heads);
    float[] units = new float[32];
    for (int i = 0; i < 32; i++) {
      units[i] = i < 16 ? 0 : -7; // layer 0: 16 * .831822 = 13.3 kept, 3 closed by index
    }
    logits.put(GateKind.INTERMEDIATE, units);
    logits.put(GateKind.ATTENTION_LAYER, new float[] {-1.59f, 7});
    logits.put(GateKind.FEED_FORWARD_LAYER, new float[] {-1.61f, 7});
    GateLogits given = new GateLogits(CONFIG, logits);

    GateValues values = GateValues.deterministic(given);
    assertThat(GateValues.openIndices(values.heads()[0])).containsExactly(0, 3);
    assertThat(values.heads()[0][0]).isEqualTo((float) HardConcrete.deterministicValue(7));
    assertThat(GateValues.openIndices(values.intermediate()[0]))
        .containsExactly(3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    assertThat(values.intermediate()[0][15]).isEqualTo(0.5f);
    assertThat(values.attentionLayer()[0]).isPositive();
    assertThat(values.feedForwardLayer()[0]).isZero();
    // closing rules: no head, no unit left in layer 1
    assertThat(values.attentionLayer()[1]).isZero();
    assertThat(values.feedForwardLayer()[1]).isZero();
    assertThat(values.existingLayers()).containsExactly(1, 0);
    assertThat(values.hidden()).containsOnly(1f);

    GateValues rounded = GateValues.deterministic(given, 8);
    assertThat(GateValues.numOpen(rounded.intermediate()[0])).isEqualTo(16);
    assertThat(GateValues.numOpen(rounded.intermediate()[1])).isZero();
  }

  @Test
  void sublayersAndHiddenDimensionsStartWhereTheyAreTold() {
    List<float[]> logits =
        Evaluate.graph(
            (tf, catalog) -> {
              GateSet.sampled(
                  tf,
                  catalog,
                  CONFIG,
                  EnumSet.allOf(GateKind.class),
                  new InitialLogAlpha(2, 5),
                  1,
                  tf.constant(0));
              return Arrays.stream(GateKind.values())
                  .<Operand<TFloat32>>map(kind -> catalog.get(kind.variableName()).read())
                  .toList();
            });
    for (GateKind kind : GateKind.values()) {
      float expected = kind == GateKind.HEADS || kind == GateKind.INTERMEDIATE ? 2 : 5;
      for (float logAlpha : logits.get(kind.ordinal())) {
        assertThat(logAlpha).as(kind.name()).isCloseTo(expected, within(0.05f));
      }
    }
  }
}
