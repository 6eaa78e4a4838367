package org.lathe.training.loop;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.models.EncoderModel;
import org.lathe.graphs.objectives.ClassCrossEntropy;
import org.lathe.graphs.objectives.MeanSquaredError;
import org.lathe.graphs.objectives.SpanLoss;
import org.lathe.graphs.ops.Dropout;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.examples.RowTargets;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Examples of a task, of any length up to the model's: what an encoder with a head reads, and the
 * labels its loss needs. Shape letters: B batch, T length of this batch.
 */
public final class ExampleInput implements BatchInput<ExampleBatch> {
  /** Output of classification and regression, (B, C). */
  public static final String LOGITS = "logits";

  /** Output of masked tokens: ln of the probability of what stood there, (M). */
  public static final String LOG_PROBABILITIES = "log-probabilities";

  /**
   * Output of masked tokens: 1 where the likeliest word is the one that stood there, else 0; (M).
   */
  public static final String RIGHT = "right";

  /** Outputs of a span head, (B, T). */
  public static final String STARTS = "starts";

  public static final String ENDS = "ends";

  private enum Labels {
    CLASSES,
    NUMBERS,
    SPANS,
    MASKED
  }

  private final Labels labels;
  private final Placeholder<TInt32> idsBT;
  private final Placeholder<TInt32> presentBT;
  private final Placeholder<TInt32> typesBT;
  private final List<Placeholder<TInt32>> placesB;
  private final Placeholder<TFloat32> numbersB;
  private final Placeholder<TInt32> placesM;
  private final Placeholder<TInt32> wordsM;

  private ExampleInput(TrainingTask.Site site, Labels labels) {
    Ops tf = site.tf();
    int batchSize = site.batchSize();
    this.labels = labels;
    idsBT = tokens(tf, "ids", batchSize);
    presentBT = tokens(tf, "present", batchSize);
    typesBT = tokens(tf, "types", batchSize);
    placesB =
        List.of(
            tf.withName("label").placeholder(TInt32.class, Placeholder.shape(Shape.of(batchSize))),
            tf.withName("label_end")
                .placeholder(TInt32.class, Placeholder.shape(Shape.of(batchSize))));
    numbersB =
        tf.withName("number").placeholder(TFloat32.class, Placeholder.shape(Shape.of(batchSize)));
    Placeholder.Options any = Placeholder.shape(Shape.of(Shape.UNKNOWN_SIZE));
    placesM = tf.withName("masked_place").placeholder(TInt32.class, any);
    wordsM = tf.withName("masked_word").placeholder(TInt32.class, any);
  }

  /** The placeholders of a head's task. */
  public static ExampleInput declare(TrainingTask.Site site, HeadConfig head) {
    Labels labels =
        switch (head.kind()) {
          case POOLED_CLASSIFIER, TANH_CLASSIFIER, RELU_CLASSIFIER ->
              head.numClasses() == 1 ? Labels.NUMBERS : Labels.CLASSES;
          case SPAN -> Labels.SPANS;
          case MASKED_LM -> Labels.MASKED;
        };
    return new ExampleInput(site, labels);
  }

  private static Placeholder<TInt32> tokens(Ops tf, String name, int batchSize) {
    return tf.withName(name)
        .placeholder(TInt32.class, Placeholder.shape(Shape.of(batchSize, Shape.UNKNOWN_SIZE)));
  }

  /** 1 for a token, 0 for padding: (B, T). */
  public Operand<TInt32> presentBT() {
    return presentBT;
  }

  /** Calls a model on the batch. */
  public EncoderModel.Output call(Ops tf, EncoderModel model, Gates gates, Dropout dropout) {
    return model.call(
        tf, idsBT, presentBT, typesBT, labels == Labels.MASKED ? placesM : null, gates, dropout);
  }

  /** The task's own loss on the labels, a scalar: cross-entropy in nats, or squared error. */
  public Operand<TFloat32> loss(Ops tf, List<Operand<TFloat32>> logits) {
    return switch (labels) {
      case CLASSES -> ClassCrossEntropy.mean(tf, logits.get(0), placesB.get(0));
      case MASKED -> ClassCrossEntropy.mean(tf, logits.get(0), wordsM);
      case NUMBERS -> MeanSquaredError.mean(tf, logits.get(0), numbersB);
      case SPANS -> SpanLoss.mean(tf, logits.get(0), logits.get(1), placesB.get(0), placesB.get(1));
    };
  }

  /**
   * What an evaluation fetches, under the names of this class. Of masked tokens two numbers each,
   * since their logits would be as many as the vocabulary has words.
   */
  public Map<String, Operand<TFloat32>> outputs(Ops tf, List<Operand<TFloat32>> logits) {
    Operand<TFloat32> first = logits.get(0);
    Map<String, Operand<TFloat32>> outputs = new LinkedHashMap<>();
    switch (labels) {
      case CLASSES, NUMBERS -> outputs.put(LOGITS, first);
      case SPANS -> {
        outputs.put(STARTS, first);
        outputs.put(ENDS, logits.get(1));
      }
      case MASKED -> {
        Operand<TInt32> guessedM = tf.math.argMax(first, tf.constant(-1), TInt32.class);
        outputs.put(LOG_PROBABILITIES, tf.math.neg(ClassCrossEntropy.perRow(tf, first, wordsM)));
        outputs.put(RIGHT, tf.dtypes.cast(tf.math.equal(guessedM, wordsM), TFloat32.class));
      }
    }
    return outputs;
  }

  /** Everything: tokens and labels. */
  @Override
  public void feed(ExampleBatch batch, Feeder feeder) {
    feedInputs(batch, feeder);
    Shape rows = Shape.of(batch.batchSize());
    RowTargets targets = batch.targets();
    switch (labels) {
      case CLASSES -> feeder.feed(placesB.get(0), ints(rows, targets.classes()));
      case NUMBERS ->
          feeder.feed(
              numbersB, TFloat32.tensorOf(rows, DataBuffers.of(targets.numbers(), true, false)));
      case SPANS -> {
        feeder.feed(placesB.get(0), ints(rows, targets.starts()));
        feeder.feed(placesB.get(1), ints(rows, targets.ends()));
      }
      case MASKED -> {} // among the inputs
    }
  }

  /** Tokens, and of masked ones where and what they were: enough for {@link #outputs}. */
  public void feedInputs(ExampleBatch batch, Feeder feeder) {
    Shape tokens = Shape.of(batch.batchSize(), batch.length());
    feeder.feed(idsBT, ints(tokens, batch.ids()));
    feeder.feed(presentBT, ints(tokens, batch.mask()));
    feeder.feed(typesBT, ints(tokens, batch.tokenTypes()));
    if (labels == Labels.MASKED) {
      RowTargets masked = batch.targets();
      feeder.feed(placesM, ints(Shape.of(masked.places().length), masked.places()));
      feeder.feed(wordsM, ints(Shape.of(masked.words().length), masked.words()));
    }
  }

  private static TInt32 ints(Shape shape, int[] values) {
    return TInt32.tensorOf(shape, DataBuffers.of(values, true, false));
  }
}
