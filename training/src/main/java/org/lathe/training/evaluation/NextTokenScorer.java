package org.lathe.training.evaluation;

import com.google.common.base.Preconditions;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.models.DecoderLanguageModel;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.loop.Sessions;
import org.lathe.training.weights.WeightTransfer;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * What a trained decoder says about the token after a text, before any memory is consulted. Shape
 * letters: T tokens, D hidden, V vocabulary.
 */
public final class NextTokenScorer implements AutoCloseable {
  private final Graph graph = new Graph();
  private final Session session;
  private final Placeholder<TInt32> tokens1T;
  private final Placeholder<TInt32> last1;
  private final Operand<TFloat32> logits1V;
  private final Operand<TFloat32> tapTP;
  private final int maxPositions;

  /**
   * Of one text.
   *
   * @param logits a_w of the token that follows (V)
   * @param taps g of every position, row-major (T, P)
   */
  public record Scored(float[] logits, float[] taps) {}

  /**
   * @param weights the model's variables
   * @param source of the weights, for messages
   * @param threads 0 = all cores
   */
  public NextTokenScorer(TransformerConfig config, Weights weights, String source, int threads) {
    maxPositions = config.maxPositions();
    Ops tf = Ops.create(graph);
    VariableCatalog catalog = new VariableCatalog(tf, 0);
    DecoderLanguageModel model = new DecoderLanguageModel(catalog, config);
    tokens1T = tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(1, -1)));
    last1 = tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(1)));
    DecoderLanguageModel.Output output = model.call(tf, tokens1T, Gates.NONE, Dropout.NONE);
    // logits of the last position only: those of all would be most of the work
    Operand<TFloat32> output1D = tf.gather(output.outputND(), last1, tf.constant(0));
    logits1V = model.logits(tf, output1D, Gates.NONE);
    tapTP = output.tapNP();
    session = Sessions.open(graph, threads);
    try {
      new WeightTransfer(tf, catalog.all()).assign(session, weights, source);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * @param tokens 1 to maxPositions
   */
  public Scored score(int[] tokens) {
    Preconditions.checkArgument(
        tokens.length > 0 && tokens.length <= maxPositions,
        "a text of %s tokens; expected 1 to %s",
        tokens.length,
        maxPositions);
    int[] last = {tokens.length - 1};
    try (Tensor fedTokens =
            TInt32.tensorOf(Shape.of(1, tokens.length), DataBuffers.of(tokens, true, false));
        Tensor fedLast = TInt32.tensorOf(Shape.of(1), DataBuffers.of(last, true, false));
        Result result =
            session
                .runner()
                .feed(tokens1T, fedTokens)
                .feed(last1, fedLast)
                .fetch(logits1V)
                .fetch(tapTP)
                .run()) {
      return new Scored(values(result.get(0)), values(result.get(1)));
    }
  }

  private static float[] values(Tensor tensor) {
    float[] values = new float[Math.toIntExact(tensor.shape().size())];
    ((TFloat32) tensor).asRawTensor().data().asFloats().read(values);
    return values;
  }

  @Override
  public void close() {
    session.close();
    graph.close();
  }
}
