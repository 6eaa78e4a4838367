package org.lathe.pruning.slimming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.primitives.Floats;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.HeadConfig.Kind;
import org.lathe.graphs.config.TransformerConfig.InnerDropout;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.MemoryStorage;
import org.lathe.pruning.budget.ParameterCount;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.slimming.TestEncoder.Batch;
import org.lathe.training.files.RecordFile;
import org.tensorflow.ndarray.Shape;

class EncoderSlimmerTest {
  private static final int NUM_STRUCTURES = 150;
  private static final int PLANS_PER_STRUCTURE = 4; // 600 plans
  private static final int PLANS_PER_HEAD = 8;
  private static final int LENGTH = 5;
  private static final int V = 15;
  private static final int D = 12;

  private static EncoderConfig bert() {
    return EncoderConfig.bert(V, D, 2, 3, 8, 7);
  }

  private static Batch draw(Random random) {
    return Batch.draw(random, 3, LENGTH, V);
  }

  /**
   * Binary and fractional gates, dead sublayers, empty models, all open: last state and pooled.
   * Plans that keep as much, but other units with other values, share the graph of the slim model.
   */
  @Test
  void slimComputesWhatTheGatedEncoderComputesForHundredsOfPlans() {
    EncoderConfig config = bert();
    Random random = new Random(41);
    Weights weights = TestEncoder.randomWeights(config, null, random);
    Set<Long> sizes = new HashSet<>();
    int emptySublayers = 0;
    try (TestEncoder masked = TestEncoder.masked(config, null)) {
      for (int i = 0; i < NUM_STRUCTURES; i++) {
        GateValues gates = SlimmerTest.randomGates(config.transformer(), random, i);
        PruningPlan plan = PruningPlan.from(config.transformer(), gates);
        sizes.add(plan.keptParameters());
        emptySublayers +=
            (int) plan.layers().stream().filter(layer -> layer.keptHeads().isEmpty()).count();
        try (TestEncoder small = TestEncoder.slim(Slimmer.slim(config, null, weights, plan))) {
          for (int k = 0; k < PLANS_PER_STRUCTURE; k++) {
            compare(config, null, weights, masked, plan, small, draw(random));
            plan = PruningPlan.from(config.transformer(), shuffled(plan.gates(), random));
          }
        }
      }
    }
    assertThat(sizes).hasSizeGreaterThan(NUM_STRUCTURES / 2);
    assertThat(emptySublayers).isGreaterThan(NUM_STRUCTURES / 4);
  }

  /** The same numbers of open gates at other places. */
  private static GateValues shuffled(GateValues gates, Random random) {
    shuffle(gates.hidden(), random);
    for (int layer = 0; layer < gates.numLayers(); layer++) {
      shuffle(gates.heads()[layer], random);
      shuffle(gates.intermediate()[layer], random);
    }
    return gates;
  }

  private static void shuffle(float[] values, Random random) {
    Collections.shuffle(Floats.asList(values), random);
  }

  @ParameterizedTest
  @EnumSource
  void headsComputeTheSameOnTheSlimEncoder(Kind kind) {
    EncoderConfig config =
        switch (kind) {
          case TANH_CLASSIFIER -> bert().withEmbeddings(1, 2).withPooler(0).withNormEpsilon(1e-5);
          case RELU_CLASSIFIER -> bert().withEmbeddings(0, 0).withPooler(0);
          default -> bert();
        };
    HeadConfig head =
        kind.classifies() ? HeadConfig.classifier(config, 3) : new HeadConfig(kind, 0, 0);
    assertThat(head.kind()).isEqualTo(kind);
    Random random = new Random(43);
    Weights weights = TestEncoder.randomWeights(config, head, random);
    try (TestEncoder masked = TestEncoder.masked(config, head)) {
      for (int i = 0; i < PLANS_PER_HEAD; i++) {
        GateValues gates = SlimmerTest.randomGates(config.transformer(), random, i);
        PruningPlan plan = PruningPlan.from(config.transformer(), gates);
        try (TestEncoder small = TestEncoder.slim(Slimmer.slim(config, head, weights, plan))) {
          compare(config, head, weights, masked, plan, small, draw(random));
        }
      }
    }
  }

  private static void compare(
      EncoderConfig config,
      HeadConfig head,
      Weights weights,
      TestEncoder masked,
      PruningPlan plan,
      TestEncoder small,
      Batch batch) {
    SlimEncoder slim = Slimmer.slim(config, head, weights, plan);
    assertThat(slim.head()).isEqualTo(head);
    assertThat(ParameterCount.count(slim.config().transformer())).isEqualTo(plan.keptParameters());
    List<float[]> expected = masked.run(weights, batch, plan.gates());
    List<float[]> found = small.run(slim.weights(), batch, plan.gates());
    int numStates = config.transformer().numLayers() + 1;
    List<Integer> kept = plan.keptHidden();
    for (int state = 0; state < numStates; state++) {
      float[] wide = expected.get(state);
      float[] narrow = new float[wide.length / D * kept.size()];
      for (int j = 0; j < narrow.length; j++) {
        narrow[j] = wide[j / kept.size() * D + kept.get(j % kept.size())];
      }
      assertClose(found.get(state), narrow);
    }
    assertThat(found).hasSameSizeAs(expected);
    for (int i = numStates; i < found.size(); i++) {
      assertClose(found.get(i), expected.get(i)); // pooled output and logits are never narrower
    }
  }

  private static void assertClose(float[] found, float[] expected) {
    assertThat(found).hasSameSizeAs(expected);
    for (int i = 0; i < found.length; i++) {
      assertThat(Math.abs(found[i] - expected[i]))
          .isLessThanOrEqualTo(1e-5f * (1 + Math.abs(expected[i])));
    }
  }

  @Test
  void anOpenPlanChangesNothing() {
    EncoderConfig config = bert();
    HeadConfig head = HeadConfig.MASKED_LM;
    Weights weights = TestEncoder.randomWeights(config, head, new Random(2));
    weights.put("span/output/kernel", Shape.of(1), new float[1]); // another head is left out
    PruningPlan plan =
        PruningPlan.from(config.transformer(), GateValues.allOpen(config.transformer()));
    SlimEncoder slim = Slimmer.slim(config, head, weights, plan);
    assertThat(slim.config()).isEqualTo(config);
    assertThat(slim.weights().names()).hasSize(weights.names().size() - 1);
    for (String name : slim.weights().names()) {
      assertThat(slim.weights().get(name).values()).isEqualTo(weights.get(name).values());
    }
  }

  @Test
  void foreignPlansAndWeightsAreRefused() {
    EncoderConfig config = bert();
    EncoderConfig other = config.withNormEpsilon(1e-5);
    HeadConfig head = HeadConfig.classifier(config, 2);
    Weights weights = TestEncoder.randomWeights(config, null, new Random(1));
    PruningPlan plan =
        PruningPlan.from(config.transformer(), GateValues.allOpen(config.transformer()));
    assertThatThrownBy(() -> Slimmer.slim(other, null, weights, plan))
        .isInstanceOf(GraphMismatchException.class)
        .hasMessageContaining("Use the plan of this run");
    assertThatThrownBy(() -> Slimmer.slim(config, head, weights, plan))
        .isInstanceOf(GraphMismatchException.class)
        .hasMessageContaining("classifier/output/kernel is missing");
  }

  /** As in a student of general distillation, whose teacher was trained with other rates. */
  @Test
  void aPlanOfOtherDropoutFits() {
    EncoderConfig config = bert();
    PruningPlan plan =
        PruningPlan.from(
            config.transformer().withDropout(0.3).withInnerDropout(new InnerDropout(0.1, 0.2)),
            GateValues.allOpen(config.transformer()));
    Weights weights = TestEncoder.randomWeights(config, null, new Random(1));
    assertThat(Slimmer.slim(config, null, weights, plan).config()).isEqualTo(config);
  }

  /** The published count of BERT-base is of what its layers hold; M leaves out their norms. */
  @Test
  void bertBaseHasThePublishedCounts() {
    EncoderConfig base = EncoderConfig.bert(30_522, 768, 12, 12, 3_072, 512);
    long inLayers =
        EncoderShapes.of(base, "encoder").entrySet().stream()
            .filter(entry -> entry.getKey().contains("/layer_"))
            .mapToLong(entry -> entry.getValue().size())
            .sum();
    assertThat(inLayers).isEqualTo(85_054_464);
    assertThat(ParameterCount.count(base.transformer())).isEqualTo(85_017_600);
    assertThat(EncoderShapes.of(base, "encoder").values().stream().mapToLong(Shape::size).sum())
        .isEqualTo(109_482_240); // bert-base-uncased with its pooler
  }

  /** What a run writes of an encoder and its head comes back the same. */
  @Test
  void configurationsSurviveAFile() throws Exception {
    record Written(EncoderConfig encoder, HeadConfig head) {}
    Written written =
        new Written(bert().withEmbeddings(1, 2).withPooler(0), new HeadConfig(Kind.SPAN, 0, 0));
    MemoryStorage storage = new MemoryStorage();
    Path file = Path.of("encoder.json");
    RecordFile<Written> records = new RecordFile<>("lathe-test", 1, Written.class);
    records.write(storage, file, written);
    assertThat(records.read(storage, file)).isEqualTo(written);
  }
}
