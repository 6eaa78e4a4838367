package org.lathe.training.datastore;

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

/** The memory keys of a decoder, learned or g itself, without dropout and without vocabulary. */
public final class ModelEncoder implements TextEncoder {
  private final Graph graph = new Graph();
  private final Session session;
  private final Placeholder<TInt32> tokensBT;
  private final Operand<TFloat32> tapNP;
  private final int width;

  /**
   * @param weights the model's variables
   * @param source of the weights, for messages
   * @param threads 0 = all cores; the same number gives the same bits
   */
  public ModelEncoder(TransformerConfig config, Weights weights, String source, int threads) {
    width = config.tapWidth();
    Ops tf = Ops.create(graph);
    VariableCatalog catalog = new VariableCatalog(tf, 0);
    DecoderLanguageModel model = new DecoderLanguageModel(catalog, config);
    tokensBT = tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(-1, -1)));
    tapNP = model.call(tf, tokensBT, Gates.NONE, Dropout.NONE).tapNP();
    session = Sessions.open(graph, threads);
    new WeightTransfer(tf, catalog.all()).assign(session, weights, source);
  }

  @Override
  public int width() {
    return width;
  }

  @Override
  public float[] encode(int[] tokens, int numWindows, int length) {
    float[] keys = new float[tokens.length * width];
    try (Tensor fed =
            TInt32.tensorOf(Shape.of(numWindows, length), DataBuffers.of(tokens, true, false));
        Result result = session.runner().feed(tokensBT, fed).fetch(tapNP).run()) {
      ((TFloat32) result.get(0)).asRawTensor().data().asFloats().read(keys);
    }
    return keys;
  }

  @Override
  public void close() {
    session.close();
    graph.close();
  }
}
