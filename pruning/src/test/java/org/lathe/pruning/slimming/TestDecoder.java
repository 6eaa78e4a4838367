package org.lathe.pruning.slimming;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.models.DecoderLanguageModel;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.budget.ParameterCount;
import org.lathe.pruning.gates.GateValues;

/** A decoder whose weights, tokens and, if it is gated, gates are fed. */
final class TestDecoder implements AutoCloseable {
  /** The tap comes this far before the last of the outputs. */
  static final int TAP_BEFORE_LAST = 2;

  private final FedModel fed;
  private final Weights weights;

  private TestDecoder(TransformerConfig config, Weights weights, boolean gated) {
    this.weights = weights;
    fed = new FedModel(config, gated);
    DecoderLanguageModel model = new DecoderLanguageModel(fed.catalog(), config);
    assertThat(DecoderShapes.of(config, "decoder")).isEqualTo(fed.declared());
    weights.requireExactly(fed.declared(), "test");
    assertThat(ParameterCount.count(config)).isEqualTo(fed.numPrunable());
    DecoderLanguageModel.Output output =
        model.call(fed.tf(), fed.input(), fed.gates(), Dropout.NONE);
    output.hiddenND().forEach(fed::fetch);
    fed.fetch(output.tapNP());
    fed.fetch(output.outputND());
    fed.fetch(model.logits(fed.tf(), output.outputND(), fed.gates()));
  }

  static TestDecoder masked(TransformerConfig config, Weights weights) {
    return new TestDecoder(config, weights, true);
  }

  static TestDecoder slim(SlimModel slim) {
    return new TestDecoder(slim.config(), slim.weights(), false);
  }

  /** All hidden states, tap, output, and last the logits. */
  List<float[]> run(int[][] input, GateValues gates) {
    return fed.run(weights, gates, input);
  }

  @Override
  public void close() {
    fed.close();
  }

  static Weights randomWeights(TransformerConfig config, Random random) {
    return FedModel.randomWeights(DecoderShapes.of(config, "decoder"), random);
  }
}
