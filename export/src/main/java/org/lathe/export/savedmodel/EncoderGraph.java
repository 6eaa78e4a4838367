package org.lathe.export.savedmodel;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.export.format.EncoderSignatures;
import org.lathe.export.format.SignatureNames;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.models.EncoderModel;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.op.core.ReduceAll;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;
import org.tensorflow.types.family.TType;

/**
 * A served encoder with the head of a task. All signatures share it: each input that is not fed is
 * computed from those that are, int32 from int64, mask and types from the ids.
 *
 * <p>Shape letters: B rows, T length, C classes.
 */
final class EncoderGraph implements InferenceGraph {
  private static final Shape ANY_BT = Shape.of(Shape.UNKNOWN_SIZE, Shape.UNKNOWN_SIZE);
  private static final String WIDE = "_int64";

  private final Ops tf;
  private final EncoderConfig config;
  private final HeadConfig head;
  private final VariableCatalog catalog;
  private final ImmutableList<Endpoint> endpoints;
  private final SaverOps saver;

  /**
   * @param paddingId of the signature that takes ids alone
   * @param packed what the packed variables will hold; null = all weights are served as they are
   */
  EncoderGraph(
      Ops tf,
      EncoderConfig config,
      HeadConfig head,
      int paddingId,
      @Nullable PackedWeights packed) {
    this.tf = tf;
    this.config = config;
    this.head = head;
    // initial values are never used: the exporter drops every op that serving does not reach
    this.catalog = new VariableCatalog(tf, 0);
    EncoderModel model = new EncoderModel(catalog, config, head);
    List<SaverOps.Saved> saved = PackedVariables.saved(tf, catalog, packed);
    this.endpoints = build(model, paddingId);
    this.saver = SaverOps.build(tf, saved);
  }

  @Override
  public List<Endpoint> endpoints() {
    return endpoints;
  }

  @Override
  public SaverOps saver() {
    return saver;
  }

  @Override
  public List<Variable> variables() {
    return catalog.all();
  }

  private ImmutableList<Endpoint> build(EncoderModel model, int paddingId) {
    int vocabularySize = config.transformer().vocabularySize();
    Placeholder<TInt64> wideIds =
        tf.withName(SignatureNames.INPUT + WIDE)
            .placeholder(TInt64.class, Placeholder.shape(ANY_BT));
    // feeding a tensor of this chain cuts off what it would be computed from
    Operand<TInt32> ids =
        fedOr(SignatureNames.INPUT, InputGuards.narrowed(tf, wideIds, vocabularySize));
    Operand<TInt32> checkedBT = InputGuards.requireLength(tf, ids, config.maxLength());

    Operand<TInt64> wideMask =
        fedOr(
            EncoderSignatures.ATTENTION_MASK + WIDE,
            tf.dtypes.cast(
                tf.math.logicalNot(tf.math.equal(checkedBT, tf.constant(paddingId))),
                TInt64.class));
    Operand<TInt32> mask = fedOr(EncoderSignatures.ATTENTION_MASK, narrowed(wideMask, 1));
    Operand<TInt64> wideTypes =
        fedOr(EncoderSignatures.TOKEN_TYPES + WIDE, tf.fill(tf.shape(checkedBT), tf.constant(0L)));
    int lastType = Math.max(0, config.numTokenTypes() - 1);
    Operand<TInt32> types = fedOr(EncoderSignatures.TOKEN_TYPES, narrowed(wideTypes, lastType));

    Operand<TInt32> presentBT =
        requireTokens(
            requireShape(EncoderSignatures.ATTENTION_MASK, mask, checkedBT, mask), paddingId);
    // checked with the ids, for not every encoder looks at the types
    Operand<TInt32> tokensBT =
        requireShape(
            EncoderSignatures.TOKEN_TYPES,
            types,
            checkedBT,
            InputGuards.clipped(tf, checkedBT, vocabularySize));
    Operand<TInt32> typesBT = InputGuards.clipped(tf, types, lastType + 1);
    ImmutableList<NamedTensor> outputs =
        outputs(model.call(tf, tokensBT, presentBT, typesBT, Gates.NONE, Dropout.NONE).logits());
    NamedTensor idsInput = new NamedTensor(SignatureNames.INPUT, ids, ANY_BT);
    return ImmutableList.of(
        new Endpoint(EncoderSignatures.SERVING, inputs(ids, mask, types), outputs),
        new Endpoint(
            EncoderSignatures.SERVING_INT64, inputs(wideIds, wideMask, wideTypes), outputs),
        new Endpoint(EncoderSignatures.IDS_ONLY, ImmutableList.of(idsInput), outputs));
  }

  private <T extends TType> Operand<T> fedOr(String name, Operand<T> otherwise) {
    return tf.withName(name).placeholderWithDefault(otherwise, ANY_BT);
  }

  /** Clipped to [0, high] first, so that nothing beyond 32 bits wraps round. */
  private Operand<TInt32> narrowed(Operand<TInt64> wide, int high) {
    return tf.dtypes.cast(
        tf.math.minimum(tf.math.maximum(wide, tf.constant(0L)), tf.constant((long) high)),
        TInt32.class);
  }

  private static ImmutableList<NamedTensor> inputs(
      Operand<? extends TType> ids, Operand<? extends TType> mask, Operand<? extends TType> types) {
    return ImmutableList.of(
        new NamedTensor(SignatureNames.INPUT, ids, ANY_BT),
        new NamedTensor(EncoderSignatures.ATTENTION_MASK, mask, ANY_BT),
        new NamedTensor(EncoderSignatures.TOKEN_TYPES, types, ANY_BT));
  }

  /** The value, after a check that what was fed has the shape of the ids. */
  private Operand<TInt32> requireShape(
      String name, Operand<TInt32> fedBT, Operand<TInt32> idsBT, Operand<TInt32> value) {
    Operand<TInt32> found = tf.shape(fedBT);
    return InputGuards.guarded(
        tf,
        tf.reduceAll(
            tf.math.equal(found, tf.shape(idsBT)), tf.constant(0), ReduceAll.keepDims(false)),
        name + ": expected the shape of " + SignatureNames.INPUT + ", found:",
        found,
        value);
  }

  /** The mask, after a check that no row is empty: no answer to nothing means anything. */
  private Operand<TInt32> requireTokens(Operand<TInt32> presentBT, int paddingId) {
    Operand<TInt32> numTokensB =
        tf.reduceSum(
            tf.dtypes.cast(tf.math.greater(presentBT, tf.constant(0)), TInt32.class),
            tf.constant(1));
    return InputGuards.guarded(
        tf,
        tf.reduceAll(
            tf.math.greater(numTokensB, tf.constant(0)), tf.constant(0), ReduceAll.keepDims(false)),
        EncoderSignatures.ATTENTION_MASK
            + ": every row needs at least one token (in "
            + EncoderSignatures.IDS_ONLY
            + " an id that is not the padding id "
            + paddingId
            + "); tokens a row:",
        numTokensB,
        presentBT);
  }

  private ImmutableList<NamedTensor> outputs(List<Operand<TFloat32>> logits) {
    if (!head.kind().classifies()) {
      return ImmutableList.of(
          named(EncoderSignatures.START_LOGITS, logits.get(0), ANY_BT),
          named(EncoderSignatures.END_LOGITS, logits.get(1), ANY_BT));
    }
    Operand<TFloat32> logitsBC = logits.get(0);
    if (head.numClasses() == 1) {
      return ImmutableList.of(
          named(
              EncoderSignatures.SCORE,
              tf.reshape(logitsBC, tf.constant(new int[] {-1})),
              Shape.of(Shape.UNKNOWN_SIZE)));
    }
    Shape shapeBC = Shape.of(Shape.UNKNOWN_SIZE, head.numClasses());
    return ImmutableList.of(
        named(EncoderSignatures.LOGITS, logitsBC, shapeBC),
        named(EncoderSignatures.PROBABILITIES, tf.nn.softmax(logitsBC), shapeBC));
  }

  private NamedTensor named(String name, Operand<TFloat32> operand, Shape shape) {
    return new NamedTensor(name, tf.withName(name).identity(operand), shape);
  }
}
