package org.lathe.pruning.slimming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lathe.graphs.config.Activation;
import org.lathe.graphs.config.NormPlacement;
import org.lathe.graphs.config.PositionEncoding;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.models.DecoderLanguageModel;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.Evaluate;
import org.lathe.pruning.budget.ParameterCount;
import org.lathe.pruning.gates.GateKind;
import org.lathe.pruning.gates.GateSet;
import org.lathe.pruning.gates.GateValues;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.training.weights.WeightTransfer;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.StdArrays;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

class SlimmerTest {
  private static final int[][][] INPUTS = {
    {{1, 2, 3, 4, 5}, {16, 0, 7, 7, 2}}, {{9, 9, 3}, {4, 15, 1}},
  };
  private static final int PLANS_PER_MODEL = 10;

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
    "PRE, true, true",
    "PRE, false, true",
    "PRE, true, false",
    "POST, true, false",
    "POST, false, false",
    "POST, false, true"
  })
  void slimComputesWhatTheGatedModelComputes(NormPlacement norm, boolean tied, boolean finalNorm) {
    TransformerConfig config = config(norm, tied, finalNorm);
    Random random = new Random(11);
    Weights weights = randomWeights(config, random);
    try (Model masked = new Model(config, true)) {
      masked.assign(weights);
      for (int i = 0; i < PLANS_PER_MODEL; i++) {
        PruningPlan plan = PruningPlan.from(config, randomGates(config, random, i));
        SlimModel slim = Slimmer.slim(config, weights, plan);
        assertThat(ParameterCount.count(slim.config())).isEqualTo(plan.keptParameters());
        try (Model small = new Model(slim.config(), false)) {
          small.assign(slim.weights());
          for (int[][] input : INPUTS) {
            compare(plan, masked.run(input, plan.gates()), small.run(input, null));
          }
        }
      }
    }
  }

  private static void compare(PruningPlan plan, List<float[]> masked, List<float[]> slim) {
    int full = plan.config().hiddenSize();
    List<Integer> kept = plan.keptHidden();
    int last = masked.size() - 1;
    for (int i = 0; i < last; i++) {
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
    Weights weights = randomWeights(config, new Random(1));
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
    Weights weights = randomWeights(config, new Random(2));
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
      gates.attentionLayer()[2] = 0;
      gates.feedForwardLayer()[2] = 0;
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

  static Weights randomWeights(TransformerConfig config, Random random) {
    Weights weights = new Weights();
    DecoderShapes.of(config, "decoder")
        .forEach(
            (name, shape) -> {
              float[] values = new float[(int) shape.size()];
              double scale = shape.numDimensions() == 2 ? 0.4 : 0.3;
              double mean = name.endsWith("gain") ? 1 : 0;
              for (int i = 0; i < values.length; i++) {
                values[i] = (float) (mean + scale * random.nextGaussian());
              }
              weights.put(name, shape, values);
            });
    return weights;
  }

  /** A decoder in a session; fetches all hidden states, tap, output, logits. */
  private static final class Model implements AutoCloseable {
    private final Graph graph = new Graph();
    private final Session session = new Session(graph);
    private final Ops tf = Ops.create(graph);
    private final Placeholder<TInt32> tokens;
    private final Map<GateKind, Placeholder<TFloat32>> gateFeeds;
    private final WeightTransfer transfer;
    private final List<Operand<TFloat32>> fetches = new ArrayList<>();

    Model(TransformerConfig config, boolean gated) {
      VariableCatalog catalog = new VariableCatalog(tf, 1);
      DecoderLanguageModel model = new DecoderLanguageModel(catalog, config);
      Map<String, Shape> declared = new HashMap<>();
      for (Variable variable : catalog.all()) {
        declared.put(variable.name(), variable.shape());
      }
      assertThat(DecoderShapes.of(config, "decoder")).isEqualTo(declared);
      long prunable =
          catalog.all().stream()
              .filter(v -> v.name().matches(".*/(attention|feed_forward)/.*"))
              .mapToLong(Variable::size)
              .sum();
      assertThat(ParameterCount.count(config)).isEqualTo(prunable);
      tokens = tf.placeholder(TInt32.class);
      GateSet set = gated ? GateSet.fed(tf, config, EnumSet.allOf(GateKind.class)) : null;
      gateFeeds = set == null ? Map.of() : set.placeholders();
      Gates gates = set == null ? Gates.NONE : set;
      DecoderLanguageModel.Output output = model.call(tf, tokens, gates, Dropout.NONE);
      output.hiddenND().forEach(state -> fetches.add(tf.identity(state)));
      fetches.add(tf.identity(output.tapND())); // identities: a result may be fetched once
      fetches.add(tf.identity(output.outputND()));
      fetches.add(model.logits(tf, output.outputND(), gates));
      transfer = new WeightTransfer(tf, catalog.all());
    }

    void assign(Weights weights) {
      transfer.assign(session, weights, "test");
    }

    List<float[]> run(int[][] input, GateValues gates) {
      List<Tensor> tensors = new ArrayList<>();
      try {
        Session.Runner runner = session.runner();
        Tensor ids = TInt32.tensorOf(StdArrays.ndCopyOf(input));
        tensors.add(ids);
        runner.feed(tokens, ids);
        gateFeeds.forEach(
            (kind, placeholder) -> {
              float[] flat = gates.flat(kind);
              Tensor tensor =
                  TFloat32.tensorOf(placeholder.shape(), DataBuffers.of(flat, true, false));
              tensors.add(tensor);
              runner.feed(placeholder, tensor);
            });
        fetches.forEach(runner::fetch);
        List<float[]> values = new ArrayList<>();
        try (Result result = runner.run()) {
          for (int i = 0; i < fetches.size(); i++) {
            values.add(Evaluate.floats((TFloat32) result.get(i)));
          }
        }
        return values;
      } finally {
        tensors.forEach(Tensor::close);
      }
    }

    @Override
    public void close() {
      session.close();
      graph.close();
    }
  }
}
