package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.config.PruningSection;
import org.lathe.cli.config.RunConfigReader;
import org.lathe.cli.progress.Console;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.pruning.constraint.PruningTarget;
import org.lathe.pruning.distillation.Matching;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateLogits;
import org.lathe.pruning.methods.DistillationConfig;
import org.lathe.training.files.LocalStorage;

class PruneFactsTest {
  private static final TransformerConfig CONFIG = TransformerConfig.uniform(30, 16, 3, 4, 24, 8);

  @Test
  void gatesOnTheirWayAreToldOf() {
    // half of the heads and units are closed: half of the parameters but for output biases
    assertThat(told(0.5)).isEmpty();
    assertThat(told(0.53)).isEmpty();
    assertThat(told(0.6))
        .contains("ended at a reduction of 0.49 where 0.60 was asked")
        .contains("pruning.multiplierLearningRate");
    assertThat(told(0.4)).contains("0.49 where 0.40");
  }

  @Test
  void eachDistillationWeightReachesItsTerm() {
    PruningSection settings =
        new RunConfigReader(LocalStorage.INSTANCE).read(null, "encoder", Overrides.NONE).pruning();
    assertThat(TaskConfigs.distillation(settings))
        .isEqualTo(new DistillationConfig(0, 0.1, 0.9, 2, Matching.ORDERED));
  }

  private static String told(double sparsity) {
    Map<GateKind, float[]> logits = new EnumMap<>(GateKind.class);
    for (GateKind kind : new GateKind[] {GateKind.HEADS, GateKind.INTERMEDIATE}) {
      float[] values = new float[(int) kind.shape(CONFIG).size()];
      Arrays.fill(values, 12);
      for (int i = 0; i < values.length; i += 2) {
        values[i] = -12;
      }
      logits.put(kind, values);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PruneFacts.tellUnsettled(
        PruningTarget.sparsity(sparsity),
        new GateLogits(CONFIG, logits),
        new Console(new PrintStream(bytes, true, StandardCharsets.UTF_8), false, System::nanoTime));
    return bytes.toString(StandardCharsets.UTF_8);
  }
}
