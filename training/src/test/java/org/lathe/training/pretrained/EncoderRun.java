package org.lathe.training.pretrained;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.models.MaskedLanguageModelHead;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.weights.Weights;
import org.tensorflow.Graph;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.proto.GraphDef;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/** An imported encoder in a session of our graph. */
final class EncoderRun implements AutoCloseable {
  private final Graph graph = new Graph();
  private final Session session;
  private final String tokens;
  private final String present;
  private final String types;
  private final String sequence;
  private final @Nullable String pooled;
  private final @Nullable String logits;

  EncoderRun(PretrainedEncoder imported) {
    EncoderConfig config = imported.config();
    Map<String, String> inputs = new LinkedHashMap<>();
    List<String> assignments = new ArrayList<>();
    List<Variable> variables;
    GraphDef definition;
    try (Graph built = new Graph()) {
      Ops tf = Ops.create(built);
      VariableCatalog catalog = new VariableCatalog(tf, 1);
      Encoder encoder = new Encoder(catalog, config);
      MaskedLanguageModelHead head =
          imported.maskedLm() == null ? null : new MaskedLanguageModelHead(catalog, encoder);
      Placeholder<TInt32> tokensBT =
          tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(-1, -1)));
      Placeholder<TInt32> presentBT =
          tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(-1, -1)));
      Placeholder<TInt32> typesBT =
          tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(-1, -1)));
      Encoder.Output output =
          encoder.call(tf, tokensBT, presentBT, typesBT, Gates.NONE, Dropout.NONE);
      tokens = tokensBT.op().name();
      present = presentBT.op().name();
      types = typesBT.op().name();
      sequence = output.sequenceND().op().name();
      pooled = output.pooledBP() == null ? null : output.pooledBP().op().name();
      logits =
          head == null
              ? null
              : head.logits(tf, output.sequenceND(), Gates.NONE).asOutput().op().name();
      variables = catalog.all();
      for (Variable variable : variables) {
        Placeholder<TFloat32> value =
            tf.placeholder(TFloat32.class, Placeholder.shape(variable.shape()));
        inputs.put(variable.name(), value.op().name());
        assignments.add(tf.assignVariableOp(variable.handle(), value).op().name());
      }
      definition = built.toGraphDef();
    }
    graph.importGraphDef(definition);
    session = new Session(graph);
    for (int i = 0; i < variables.size(); i++) {
      String name = variables.get(i).name();
      Weights weights = name.startsWith("encoder/") ? imported.weights() : imported.maskedLm();
      Weights.Array array = weights.get(name);
      try (TFloat32 value =
          TFloat32.tensorOf(array.shape(), DataBuffers.of(array.values(), true, false))) {
        session.runner().feed(inputs.get(name), value).addTarget(assignments.get(i)).run().close();
      }
    }
  }

  /** Outputs of the last layer, (B*T, D). */
  float[] sequence(int[] ids, int[] mask, int batchSize) {
    return run(sequence, ids, mask, batchSize);
  }

  /** Outputs of the pooler, (B, D). */
  float[] pooled(int[] ids, int[] mask, int batchSize) {
    return run(pooled, ids, mask, batchSize);
  }

  /** Logits of the masked-LM head, (B*T, V). */
  float[] logits(int[] ids, int[] mask, int batchSize) {
    return run(logits, ids, mask, batchSize);
  }

  private float[] run(String fetch, int[] ids, int[] mask, int batchSize) {
    Shape shape = Shape.of(batchSize, ids.length / batchSize);
    try (TInt32 idsBT = TInt32.tensorOf(shape, DataBuffers.of(ids, true, false));
        TInt32 maskBT = TInt32.tensorOf(shape, DataBuffers.of(mask, true, false));
        TInt32 typesBT = TInt32.tensorOf(shape, DataBuffers.of(new int[ids.length], true, false));
        Result result =
            session
                .runner()
                .feed(tokens, idsBT)
                .feed(present, maskBT)
                .feed(types, typesBT)
                .fetch(fetch)
                .run()) {
      TFloat32 tensor = (TFloat32) result.get(0);
      float[] values = new float[(int) tensor.shape().size()];
      tensor.asRawTensor().data().asFloats().read(values);
      return values;
    }
  }

  @Override
  public void close() {
    session.close();
    graph.close();
  }
}
