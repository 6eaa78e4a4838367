package org.lathe.training.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.errors.FailedException;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.weights.Weights;
import org.tensorflow.Graph;
import org.tensorflow.op.Ops;

class UniformLayersTest {
  private static final int HIDDEN = 8;
  private static final BlockShape NOTHING = new BlockShape(0, 0);

  @Test
  void zerosInPlaceOfWhatWasPrunedChangeNoAnswer() {
    PretrainedEncoder slim = slim(HIDDEN, new BlockShape(1, 5), NOTHING, new BlockShape(2, 12));
    PretrainedEncoder uniform = UniformLayers.of(slim);
    BlockShape full = new BlockShape(2, 12);
    assertThat(uniform.config().transformer().blocks()).containsExactly(full, full);
    int[] ids = {1, 5, 3, 7, 2, 4};
    int[] present = {1, 1, 1, 1, 1, 0};
    try (EncoderRun before = new EncoderRun(slim);
        EncoderRun after = new EncoderRun(uniform)) {
      // the padded last position has no meaning
      assertThat(first(after.sequence(ids, present, 1)))
          .containsExactly(first(before.sequence(ids, present, 1)), within(1e-5f));
      assertThat(after.pooled(ids, present, 1))
          .containsExactly(before.pooled(ids, present, 1), within(1e-5f));
    }
  }

  @Test
  void aUniformEncoderStaysAsItIs() {
    PretrainedEncoder full = slim(HIDDEN, new BlockShape(2, 12), new BlockShape(2, 12));
    assertThat(UniformLayers.of(full)).isSameAs(full);
  }

  @Test
  void headsFillTheHiddenSizeEvenWhereAllLayersLackSome() {
    PretrainedEncoder uniform = UniformLayers.of(slim(HIDDEN, new BlockShape(1, 5)));
    assertThat(uniform.config().transformer().blocks()).containsExactly(new BlockShape(2, 5));
  }

  @Test
  void whatZerosCannotStandForIsRefused() {
    requireRefused(slim(HIDDEN, new BlockShape(1, 5), new BlockShape(1, 0)), "layer 1 has no feed");
    requireRefused(slim(HIDDEN, new BlockShape(0, 5)), "layer 0 has no attention");
    requireRefused(slim(6, new BlockShape(1, 5)), "do not fill its hidden size 6");
    requireRefused(slim(4, new BlockShape(2, 5)), "2 heads of 4, more than fill its hidden size 4");
    requireRefused(slim(HIDDEN, NOTHING, NOTHING), "no layers left");
  }

  private static void requireRefused(PretrainedEncoder encoder, String reason) {
    assertThatThrownBy(() -> UniformLayers.of(encoder))
        .isInstanceOf(FailedException.class)
        .hasMessageContaining(reason)
        .hasMessageContaining("SavedModel");
  }

  private static float[] first(float[] sequence) {
    return Arrays.copyOf(sequence, sequence.length - HIDDEN);
  }

  /** Random weights, biases and norms too. */
  private static PretrainedEncoder slim(int hiddenSize, BlockShape... blocks) {
    EncoderConfig usual = EncoderConfig.bert(11, HIDDEN, 1, 2, 12, 6);
    EncoderConfig config =
        usual.withTransformer(usual.transformer().withBlocks(hiddenSize, List.of(blocks)));
    Random random = new Random(5);
    Weights weights = new Weights();
    try (Graph graph = new Graph()) {
      VariableCatalog catalog = new VariableCatalog(Ops.create(graph), 1);
      new Encoder(catalog, config);
      for (Variable variable : catalog.all()) {
        float[] values = new float[(int) variable.shape().size()];
        for (int i = 0; i < values.length; i++) {
          values[i] = (float) (0.5 * random.nextGaussian());
        }
        weights.put(variable.name(), variable.shape(), values);
      }
    }
    return new PretrainedEncoder(config, weights, null, null, List.of());
  }
}
