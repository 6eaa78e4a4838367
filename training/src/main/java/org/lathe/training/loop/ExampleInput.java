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
  /** Output of classification and regression, (B, C); of masked tokens, (M, V). */
  public static final String LOGITS = "logits";

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

  /** Logits under the names of a task's outputs. */
  public static Map<String, Operand<TFloat32>> outputs(List<Operand<TFloat32>> logits) {
    Map<String, Operand<TFloat32>> outputs = new LinkedHashMap<>();
    if (logits.size() == 1) {
      outputs.put(LOGITS, logits.get(0));
    } else {
      outputs.put(STARTS, logits.get(0));
      outputs.put(ENDS, logits.get(1));
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
      case MASKED -> feeder.feed(wordsM, ints(Shape.of(targets.words().length), targets.words()));
    }
  }

  /** Tokens only, and where masked ones are: enough for a model's outputs. */
  public void feedInputs(ExampleBatch batch, Feeder feeder) {
    Shape tokens = Shape.of(batch.batchSize(), batch.length());
    feeder.feed(idsBT, ints(tokens, batch.ids()));
    feeder.feed(presentBT, ints(tokens, batch.mask()));
    feeder.feed(typesBT, ints(tokens, batch.tokenTypes()));
    if (labels == Labels.MASKED) {
      int[] places = batch.targets().places();
      feeder.feed(placesM, ints(Shape.of(places.length), places));
    }
  }

  private static TInt32 ints(Shape shape, int[] values) {
    return TInt32.tensorOf(shape, DataBuffers.of(values, true, false));
  }
}
