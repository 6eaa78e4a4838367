package org.lathe.export.savedmodel;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.export.format.SignatureNames;
import org.lathe.export.retrieval.MemoryTensors;
import org.lathe.export.retrieval.MemoryVariables;
import org.lathe.export.retrieval.RetrievalHead;
import org.lathe.export.retrieval.RetrievalPlan;
import org.lathe.export.retrieval.ScoredItems;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.models.DecoderLanguageModel;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.ops.LogSumExp;
import org.lathe.graphs.ops.SequenceShape;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.op.core.ReduceAll;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;
import org.tensorflow.types.TString;
import org.tensorflow.types.family.TType;

/**
 * The ops of a served language model: one decoder, the signatures on top of it, and the ops that
 * restore its variables. No dropout, no gates, nothing that trains.
 *
 * <p>Shape letters: B rows, T length, S = T - 1, N = B*T, D hidden, V vocabulary.
 */
final class InferenceGraph {

  /** What is fetched, with the shape that a client sees. */
  record Fetched(String name, Operand<? extends TType> operand, Shape shape) {}

  /**
   * One signature: what is fed, with its shape, and what is fetched, the log-probabilities first.
   */
  record Endpoint(
      String name, Operand<? extends TType> input, Shape inputShape, List<Fetched> outputs) {}

  /** Tensor and op names that TensorFlow's loader needs to fill the variables. */
  record SaverOps(String filenameTensor, String saveTensor, String restoreOp) {}

  /** A variable of any type. */
  private record Saved(
      String name, Class<? extends TType> type, Operand<?> handle, Operand<?> read) {}

  private final Ops tf;
  private final ExportRequest request;
  private final VariableCatalog catalog;
  private final @Nullable MemoryVariables memoryVariables;
  private final ImmutableList<Endpoint> endpoints;
  private final SaverOps saver;

  /**
   * @param memory what the external memory's variables will hold; null without one
   */
  InferenceGraph(Ops tf, ExportRequest request, @Nullable MemoryTensors memory) {
    this.tf = tf;
    this.request = request;
    this.memoryVariables = memory == null ? null : new MemoryVariables(tf, memory);
    // initial values are never used: the exporter drops every op that serving does not reach
    this.catalog = new VariableCatalog(tf, 0);
    this.endpoints = build();
    this.saver = buildSaver();
  }

  List<Endpoint> endpoints() {
    return endpoints;
  }

  SaverOps saver() {
    return saver;
  }

  /** Of the model, without an external memory's. */
  List<Variable> variables() {
    return catalog.all();
  }

  /** Name to shape of the model's variables, in order of declaration. */
  Map<String, Shape> variableShapes() {
    ImmutableMap.Builder<String, Shape> shapes = ImmutableMap.builder();
    catalog.all().forEach(variable -> shapes.put(variable.name(), variable.shape()));
    return shapes.buildOrThrow();
  }

  private ImmutableList<Endpoint> build() {
    TransformerConfig config = request.config();
    DecoderLanguageModel model = new DecoderLanguageModel(catalog, config);
    Shape anyBT = Shape.of(Shape.UNKNOWN_SIZE, Shape.UNKNOWN_SIZE);
    Placeholder<TInt64> wideIds =
        tf.withName(SignatureNames.INPUT + "_int64")
            .placeholder(TInt64.class, Placeholder.shape(anyBT));
    // feeding the int32 tensor cuts the int64 one off, so that both signatures share one decoder;
    // clipping first keeps an id beyond 32 bits from wrapping round into the vocabulary
    Operand<TInt32> narrowed =
        tf.dtypes.cast(
            tf.math.minimum(
                tf.math.maximum(wideIds, tf.constant(-1L)),
                tf.constant((long) config.vocabularySize())),
            TInt32.class);
    Operand<TInt32> ids = tf.withName(SignatureNames.INPUT).placeholderWithDefault(narrowed, anyBT);

    Operand<TInt32> checkedBT = requireLength(ids);
    Operand<TInt32> numIdsB =
        tf.reduceSum(
            tf.dtypes.cast(tf.math.greaterEqual(checkedBT, tf.constant(0)), TInt32.class),
            tf.constant(1));
    Operand<TInt32> tokensBT =
        tf.math.minimum(
            tf.math.maximum(checkedBT, tf.constant(0)), tf.constant(config.vocabularySize() - 1));
    DecoderLanguageModel.Output output = model.call(tf, tokensBT, Gates.NONE, Dropout.NONE);

    ImmutableList<Fetched> next = nextToken(model, output, tokensBT, numIdsB);
    Operand<TFloat32> scoreBS =
        tf.withName("score_" + SignatureNames.OUTPUT)
            .identity(score(model, output, tokensBT, numIdsB));
    return ImmutableList.of(
        new Endpoint(SignatureNames.NEXT_TOKEN, ids, anyBT, next),
        new Endpoint(SignatureNames.NEXT_TOKEN_INT64, wideIds, anyBT, next),
        new Endpoint(
            SignatureNames.SCORE,
            ids,
            anyBT,
            ImmutableList.of(new Fetched(SignatureNames.OUTPUT, scoreBS, anyBT))));
  }

  /** ln P(w | row), from the last id of each row: (B, V); with an external memory, what it gave. */
  private ImmutableList<Fetched> nextToken(
      DecoderLanguageModel model,
      DecoderLanguageModel.Output output,
      Operand<TInt32> tokensBT,
      Operand<TInt32> numIdsB) {
    SequenceShape shape = output.shape();
    Operand<TInt32> lastB = tf.math.sub(requireIds(numIdsB), tf.constant(1));
    Operand<TInt32> flatLastB =
        tf.math.add(
            tf.math.mul(
                tf.range(tf.constant(0), shape.batchSize(), tf.constant(1)), shape.length()),
            lastB);
    Operand<TFloat32> lastBD = tf.gather(output.outputND(), flatLastB, tf.constant(0));
    Operand<TFloat32> logitsBV = model.logits(tf, lastBD, Gates.NONE);
    int vocabularySize = request.config().vocabularySize();
    RetrievalPlan plan = request.retrieval();
    if (plan != null && memoryVariables != null) {
      double temperature = plan.mixing().recent().temperature();
      RetrievalHead.Answer answer =
          new RetrievalHead(plan, memoryVariables, request.memory().scoreScale(), vocabularySize)
              .call(
                  tf,
                  logitsBV,
                  tf.gather(output.tapNP(), flatLastB, tf.constant(0)),
                  plan.usesLocal() ? local(output, flatLastB, tokensBT, lastB, temperature) : null);
      return fetched(answer, plan.neighbors());
    }
    if (request.memory().objective() != MemoryObjective.NONE) {
      logitsBV =
          local(output, flatLastB, tokensBT, lastB, request.temperature())
              .join(tf, logitsBV, vocabularySize);
    }
    return ImmutableList.of(logProbabilities(LogSumExp.logSoftmax(tf, logitsBV)));
  }

  /** The earlier positions of each row. */
  private ScoredItems local(
      DecoderLanguageModel.Output output,
      Operand<TInt32> flatLastB,
      Operand<TInt32> tokensBT,
      Operand<TInt32> lastB,
      double temperature) {
    return new MemoryHead(request.memory(), temperature)
        .ofLastPosition(
            tf,
            tf.gather(output.tapNP(), flatLastB, tf.constant(0)),
            output.shape().unflatten(tf, output.tapNP(), request.config().tapWidth()),
            tokensBT,
            lastB);
  }

  private Fetched logProbabilities(Operand<TFloat32> logProbabilitiesBV) {
    return fetched(
        SignatureNames.OUTPUT,
        logProbabilitiesBV,
        Shape.of(Shape.UNKNOWN_SIZE, request.config().vocabularySize()));
  }

  private ImmutableList<Fetched> fetched(RetrievalHead.Answer answer, int neighbors) {
    Shape shapeBK = Shape.of(Shape.UNKNOWN_SIZE, neighbors);
    return ImmutableList.of(
        logProbabilities(answer.logProbabilitiesBV()),
        fetched(SignatureNames.MEMORY_SHARE, answer.memoryShareB(), Shape.of(Shape.UNKNOWN_SIZE)),
        fetched(SignatureNames.RETRIEVED_DOCUMENTS, answer.documentsBK(), shapeBK),
        fetched(SignatureNames.RETRIEVED_POSITIONS, answer.positionsBK(), shapeBK),
        fetched(SignatureNames.RETRIEVED_TOKENS, answer.tokensBK(), shapeBK),
        fetched(SignatureNames.RETRIEVED_SCORES, answer.scoresBK(), shapeBK),
        fetched(SignatureNames.RETRIEVED_SHARES, answer.sharesBK(), shapeBK));
  }

  private <T extends TType> Fetched fetched(String name, Operand<T> operand, Shape shape) {
    return new Fetched(name, tf.withName(name).identity(operand), shape);
  }

  /** ln P(x_{t+1} | x_1 .. x_t) at t, 0 where there is no x_{t+1}: (B, S). */
  private Operand<TFloat32> score(
      DecoderLanguageModel model,
      DecoderLanguageModel.Output output,
      Operand<TInt32> tokensBT,
      Operand<TInt32> numIdsB) {
    return ScoreHead.logProbabilities(tf, request, model, output, tokensBT, numIdsB);
  }

  /** The ids, after a check that they are 1 to maxPositions long. */
  private Operand<TInt32> requireLength(Operand<TInt32> idsBT) {
    int maxPositions = request.config().maxPositions();
    Operand<TInt32> length = tf.gather(tf.shape(idsBT), tf.constant(1), tf.constant(0));
    Operand<TBool> inRange =
        tf.math.logicalAnd(
            tf.math.greater(length, tf.constant(0)),
            tf.math.lessEqual(length, tf.constant(maxPositions)));
    return guarded(
        inRange,
        "input_ids: rows must hold 1 to " + maxPositions + " ids (padding included), found:",
        length,
        idsBT);
  }

  /** The counts, after a check that no row is empty. */
  private Operand<TInt32> requireIds(Operand<TInt32> numIdsB) {
    Operand<TBool> noneEmpty =
        tf.reduceAll(
            tf.math.greater(numIdsB, tf.constant(0)), tf.constant(0), ReduceAll.keepDims(false));
    return guarded(
        noneEmpty,
        "input_ids: every row needs at least one id that is not padding (-1); ids a row:",
        numIdsB,
        numIdsB);
  }

  private Operand<TInt32> guarded(
      Operand<TBool> condition, String message, Operand<TInt32> found, Operand<TInt32> value) {
    Op check = tf.assertThat(condition, List.of(tf.constant(message), found));
    return tf.withControlDependencies(check).identity(value);
  }

  /** SaveV2 and RestoreV2 over all variables; TensorFlow's loader feeds the file name. */
  private SaverOps buildSaver() {
    List<Saved> variables = new ArrayList<>();
    catalog
        .all()
        .forEach(v -> variables.add(new Saved(v.name(), TFloat32.class, v.handle(), v.read())));
    if (memoryVariables != null) {
      memoryVariables
          .all()
          .forEach(v -> variables.add(new Saved(v.name(), v.type(), v.handle(), v.read())));
    }
    String[] names = variables.stream().map(Saved::name).toArray(String[]::new);
    Operand<TString> filename =
        tf.withName("saver_filename")
            .placeholderWithDefault(tf.constant("variables"), Shape.scalar());
    Operand<TString> tensorNames = strings(names);
    Operand<TString> wholeTensors =
        strings(Collections.nCopies(names.length, "").toArray(new String[0]));

    ImmutableList.Builder<Operand<?>> values = ImmutableList.builder();
    variables.forEach(variable -> values.add(variable.read()));
    Op save = tf.train.save(filename, tensorNames, wholeTensors, values.build());
    Operand<TString> saved =
        tf.withControlDependencies(save).withName("saver_saved").identity(filename);

    ImmutableList.Builder<Class<? extends TType>> types = ImmutableList.builder();
    variables.forEach(variable -> types.add(variable.type()));
    var restore = tf.train.restore(filename, tensorNames, wholeTensors, types.build());
    ImmutableList.Builder<Op> assignments = ImmutableList.builder();
    for (int i = 0; i < variables.size(); i++) {
      Operand<TType> value = restore.op().output(i);
      assignments.add(tf.assignVariableOp(variables.get(i).handle(), value));
    }
    Op restoreAll =
        tf.withControlDependencies(assignments.build()).withName("saver_restore_all").noOp();
    return new SaverOps(tensorName(filename), tensorName(saved), restoreAll.op().name());
  }

  /** As SavedModels name tensors: "op:index". */
  static String tensorName(Operand<?> operand) {
    return operand.asOutput().op().name() + ":" + operand.asOutput().index();
  }

  private Operand<TString> strings(String[] values) {
    try (TString tensor = TString.vectorOf(values)) {
      return tf.constantOf(tensor);
    }
  }
}
