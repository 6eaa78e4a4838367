package org.lathe.export.verification;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableMap;
import com.google.common.primitives.Doubles;
import com.google.common.primitives.Floats;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.lathe.export.format.EncoderSignatures;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.models.EncoderModel;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.evaluation.Softmax;
import org.lathe.training.weights.WeightTransfer;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * The encoder as training builds it, one unpadded sequence at a time. The graph gives logits; what
 * follows them is computed in double precision:
 *
 * <pre>
 *   probability_c = exp(logit_c) / sum_k exp(logit_k)
 * </pre>
 */
public final class EncoderGraphReference implements EncoderReference {
  private final HeadConfig head;
  private final Graph graph = new Graph();
  private final Session session;
  private final Placeholder<TInt32> idsBT;
  private final Placeholder<TInt32> presentBT;
  private final Placeholder<TInt32> typesBT;
  private final List<Operand<TFloat32>> logits;

  /**
   * @throws org.lathe.graphs.errors.GraphMismatchException when the weights are not the model's
   */
  public EncoderGraphReference(EncoderConfig encoder, HeadConfig head, Weights weights) {
    this.head = head;
    Ops tf = Ops.create(graph);
    VariableCatalog catalog = new VariableCatalog(tf, 0);
    EncoderModel model = new EncoderModel(catalog, encoder, head);
    idsBT = placeholder(tf);
    presentBT = placeholder(tf);
    typesBT = placeholder(tf);
    logits = model.call(tf, idsBT, presentBT, typesBT, Gates.NONE, Dropout.NONE).logits();
    WeightTransfer transfer = new WeightTransfer(tf, catalog.all());
    session = new Session(graph);
    try {
      transfer.assign(session, weights, "the weights of the reference");
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private static Placeholder<TInt32> placeholder(Ops tf) {
    return tf.placeholder(
        TInt32.class, Placeholder.shape(Shape.of(Shape.UNKNOWN_SIZE, Shape.UNKNOWN_SIZE)));
  }

  @Override
  public Map<String, float[]> outputs(int[] ids, int[] types) {
    Preconditions.checkArgument(
        ids.length > 0 && ids.length == types.length,
        "%s ids with %s types; expected equally many, at least one",
        ids.length,
        types.length);
    int[] present = new int[ids.length];
    Arrays.fill(present, 1);
    try (Tensor fedIds = row(ids);
        Tensor fedPresent = row(present);
        Tensor fedTypes = row(types)) {
      Session.Runner runner =
          session.runner().feed(idsBT, fedIds).feed(presentBT, fedPresent).feed(typesBT, fedTypes);
      logits.forEach(runner::fetch);
      try (Result result = runner.run()) {
        return outputs(LoadedModel.floats(result));
      }
    }
  }

  private static Tensor row(int[] values) {
    return LoadedModel.integers(new int[][] {values}, 0, false);
  }

  private Map<String, float[]> outputs(List<float[]> values) {
    if (!head.kind().classifies()) {
      return ImmutableMap.of(
          EncoderSignatures.START_LOGITS, values.get(0),
          EncoderSignatures.END_LOGITS, values.get(1));
    }
    return head.numClasses() == 1
        ? ImmutableMap.of(EncoderSignatures.SCORE, values.get(0))
        : ImmutableMap.of(
            EncoderSignatures.LOGITS,
            values.get(0),
            EncoderSignatures.PROBABILITIES,
            Floats.toArray(Doubles.asList(Softmax.of(values.get(0)))));
  }

  @Override
  public void close() {
    session.close();
    graph.close();
  }
}
