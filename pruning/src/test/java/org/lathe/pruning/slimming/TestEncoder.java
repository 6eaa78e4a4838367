package org.lathe.pruning.slimming;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.models.MaskedLanguageModelHead;
import org.lathe.graphs.models.SequenceClassifier;
import org.lathe.graphs.models.SpanHead;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.budget.ParameterCount;
import org.lathe.pruning.gates.GateValues;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.types.TInt32;

/** An encoder and a head or none whose weights, inputs and, if it is gated, gates are fed. */
final class TestEncoder implements AutoCloseable {
  /** Sequences of random lengths, padded: tokens, 1 where there is one, token types. */
  record Batch(int[][] tokens, int[][] present, int[][] types) {
    static Batch draw(Random random, int rows, int length, int vocabularySize) {
      Batch batch = new Batch(new int[rows][length], new int[rows][length], new int[rows][length]);
      for (int b = 0; b < rows; b++) {
        int there = 1 + random.nextInt(length);
        for (int t = 0; t < length; t++) {
          batch.tokens[b][t] = random.nextInt(vocabularySize);
          batch.types[b][t] = random.nextInt(2);
          batch.present[b][t] = t < there ? 1 : 0;
        }
      }
      return batch;
    }
  }

  private final FedModel fed;

  private TestEncoder(EncoderConfig config, HeadConfig head, boolean gated) {
    fed = new FedModel(config.transformer(), gated);
    Encoder model = new Encoder(fed.catalog(), config);
    Operand<TInt32> tokens = fed.input();
    Operand<TInt32> present = fed.input();
    Operand<TInt32> types = fed.input();
    Encoder.Output output = model.call(fed.tf(), tokens, present, types, fed.gates(), Dropout.NONE);
    output.hiddenND().forEach(fed::fetch);
    if (output.pooledBP() != null) {
      fed.fetch(output.pooledBP());
    }
    if (head != null) {
      fetchHead(model, head, output, present);
    }
    assertThat(shapes(config, head)).isEqualTo(fed.declared());
    assertThat(ParameterCount.count(config.transformer())).isEqualTo(fed.numPrunable());
  }

  private void fetchHead(
      Encoder model, HeadConfig head, Encoder.Output output, Operand<TInt32> present) {
    switch (head.kind()) {
      case SPAN -> {
        SpanHead.Output span =
            new SpanHead(fed.catalog(), model.config()).call(fed.tf(), output, present);
        fed.fetch(span.startBT());
        fed.fetch(span.endBT());
      }
      case MASKED_LM ->
          fed.fetch(
              new MaskedLanguageModelHead(fed.catalog(), model)
                  .logits(fed.tf(), output.sequenceND(), fed.gates()));
      default ->
          fed.fetch(
              new SequenceClassifier(fed.catalog(), model.config(), head)
                  .call(fed.tf(), output, Dropout.NONE));
    }
  }

  static TestEncoder masked(EncoderConfig config, HeadConfig head) {
    return new TestEncoder(config, head, true);
  }

  static TestEncoder slim(SlimEncoder slim) {
    return new TestEncoder(slim.config(), slim.head(), false);
  }

  /** All hidden states, the pooled output where there is one, and what the head gives. */
  List<float[]> run(Weights weights, Batch batch, GateValues gates) {
    weights.requireExactly(fed.declared(), "test");
    return fed.run(weights, gates, batch.tokens(), batch.present(), batch.types());
  }

  @Override
  public void close() {
    fed.close();
  }

  static Weights randomWeights(EncoderConfig config, HeadConfig head, Random random) {
    return FedModel.randomWeights(shapes(config, head), random);
  }

  private static Map<String, Shape> shapes(EncoderConfig config, HeadConfig head) {
    Map<String, Shape> shapes = new LinkedHashMap<>(EncoderShapes.of(config, "encoder"));
    if (head != null) {
      shapes.putAll(EncoderShapes.ofHead(config, head, head.kind().prefix()));
    }
    return shapes;
  }
}
