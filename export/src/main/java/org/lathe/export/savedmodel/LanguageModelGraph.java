package org.lathe.export.savedmodel;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
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
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.op.core.ReduceAll;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;
import org.tensorflow.types.family.TType;

/**
 * A served language model: one decoder that all signatures share.
 *
 * <p>Shape letters: B rows, T length, S = T - 1, N = B*T, D hidden, V vocabulary.
 */
final class LanguageModelGraph implements InferenceGraph {

  private final Ops tf;
  private final ExportRequest request;
  private final VariableCatalog catalog;
  private final @Nullable MemoryVariables memoryVariables;
  private final ImmutableList<Endpoint> endpoints;
  private final SaverOps saver;

  /**
   * @param memory what the external memory's variables will hold; null without one
   * @param packed what the packed variables will hold; null = all weights are served as they are
   */
  LanguageModelGraph(
      Ops tf,
      ExportRequest request,
      @Nullable MemoryTensors memory,
      @Nullable PackedWeights packed) {
    this.tf = tf;
    this.request = request;
    this.memoryVariables = memory == null ? null : new MemoryVariables(tf, memory);
    // initial values are never used: the exporter drops every op that serving does not reach
    this.catalog = new VariableCatalog(tf, 0);
    DecoderLanguageModel model = new DecoderLanguageModel(catalog, request.config());
    List<SaverOps.Saved> saved = PackedVariables.saved(tf, catalog, packed);
    this.endpoints = build(model);
    this.saver = buildSaver(saved);
  }

  @Override
  public List<Endpoint> endpoints() {
    return endpoints;
  }

  @Override
  public SaverOps saver() {
    return saver;
  }

  /** Of the model, without an external memory's. */
  @Override
  public List<Variable> variables() {
    return catalog.all();
  }

  private ImmutableList<Endpoint> build(DecoderLanguageModel model) {
    TransformerConfig config = request.config();
    Shape anyBT = Shape.of(Shape.UNKNOWN_SIZE, Shape.UNKNOWN_SIZE);
    Placeholder<TInt64> wideIds =
        tf.withName(SignatureNames.INPUT + "_int64")
            .placeholder(TInt64.class, Placeholder.shape(anyBT));
    // feeding the int32 tensor cuts the int64 one off, so that both signatures share one decoder
    Operand<TInt32> narrowed = InputGuards.narrowed(tf, wideIds, config.vocabularySize());
    Operand<TInt32> ids = tf.withName(SignatureNames.INPUT).placeholderWithDefault(narrowed, anyBT);

    Operand<TInt32> checkedBT = InputGuards.requireLength(tf, ids, config.maxPositions());
    Operand<TInt32> numIdsB =
        tf.reduceSum(
            tf.dtypes.cast(tf.math.greaterEqual(checkedBT, tf.constant(0)), TInt32.class),
            tf.constant(1));
    Operand<TInt32> tokensBT = InputGuards.clipped(tf, checkedBT, config.vocabularySize());
    DecoderLanguageModel.Output output = model.call(tf, tokensBT, Gates.NONE, Dropout.NONE);

    ImmutableList<NamedTensor> next = nextToken(model, output, tokensBT, numIdsB);
    Operand<TFloat32> scoreBS =
        tf.withName("score_" + SignatureNames.OUTPUT)
            .identity(score(model, output, tokensBT, numIdsB));
    NamedTensor narrowInput = new NamedTensor(SignatureNames.INPUT, ids, anyBT);
    return ImmutableList.of(
        new Endpoint(SignatureNames.NEXT_TOKEN, List.of(narrowInput), next),
        new Endpoint(
            SignatureNames.NEXT_TOKEN_INT64,
            List.of(new NamedTensor(SignatureNames.INPUT, wideIds, anyBT)),
            next),
        new Endpoint(
            SignatureNames.SCORE,
            List.of(narrowInput),
            ImmutableList.of(new NamedTensor(SignatureNames.OUTPUT, scoreBS, anyBT))));
  }

  /** ln P(w | row), from the last id of each row: (B, V); with an external memory, what it gave. */
  private ImmutableList<NamedTensor> nextToken(
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

  private NamedTensor logProbabilities(Operand<TFloat32> logProbabilitiesBV) {
    return fetched(
        SignatureNames.OUTPUT,
        logProbabilitiesBV,
        Shape.of(Shape.UNKNOWN_SIZE, request.config().vocabularySize()));
  }

  private ImmutableList<NamedTensor> fetched(RetrievalHead.Answer answer, int neighbors) {
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

  private <T extends TType> NamedTensor fetched(String name, Operand<T> operand, Shape shape) {
    return new NamedTensor(name, tf.withName(name).identity(operand), shape);
  }

  /** ln P(x_{t+1} | x_1 .. x_t) at t, 0 where there is no x_{t+1}: (B, S). */
  private Operand<TFloat32> score(
      DecoderLanguageModel model,
      DecoderLanguageModel.Output output,
      Operand<TInt32> tokensBT,
      Operand<TInt32> numIdsB) {
    return ScoreHead.logProbabilities(tf, request, model, output, tokensBT, numIdsB);
  }

  /** The counts, after a check that no row is empty. */
  private Operand<TInt32> requireIds(Operand<TInt32> numIdsB) {
    Operand<TBool> noneEmpty =
        tf.reduceAll(
            tf.math.greater(numIdsB, tf.constant(0)), tf.constant(0), ReduceAll.keepDims(false));
    return InputGuards.guarded(
        tf,
        noneEmpty,
        "input_ids: every row needs at least one id that is not padding (-1); ids a row:",
        numIdsB,
        numIdsB);
  }

  private SaverOps buildSaver(List<SaverOps.Saved> ofModel) {
    List<SaverOps.Saved> variables = new ArrayList<>(ofModel);
    if (memoryVariables != null) {
      memoryVariables
          .all()
          .forEach(
              v -> variables.add(new SaverOps.Saved(v.name(), v.type(), v.handle(), v.read())));
    }
    return SaverOps.build(tf, variables);
  }
}
