package org.lathe.training.evaluation;

import com.google.common.base.Preconditions;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.lathe.training.examples.BatchLength;
import org.lathe.training.examples.EvaluationBatches;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.examples.SpanDecoder;
import org.lathe.training.examples.SpanRows;
import org.lathe.training.examples.SpanSettings;
import org.lathe.training.examples.TaskKind;
import org.lathe.training.examples.TokenMasking;
import org.lathe.training.examples.TokenRows;
import org.lathe.training.loop.ExampleInput;
import org.lathe.training.metrics.Metric;
import org.lathe.training.metrics.TaskMetrics;

/**
 * Scores an encoder on all examples of a split by the task's metrics. The model is whatever gives a
 * batch's outputs: a trainer, a session, a served model.
 */
public final class TaskScorer {
  /** Of what is hidden in an evaluation; any number, but always the same. */
  private static final long MASKING_SEED = 0;

  private final TaskMetrics metrics;
  private final int batchSize;

  /**
   * @param batchSize rows of a batch, as the model was built for
   */
  public TaskScorer(TaskMetrics metrics, int batchSize) {
    this.metrics = metrics;
    this.batchSize = batchSize;
  }

  /**
   * Classification by the largest logit, regression by the number.
   *
   * @param model gives {@link ExampleInput#LOGITS} (B, C) of a batch
   */
  public Map<Metric, Double> score(
      TokenRows rows, TaskKind kind, Function<ExampleBatch, Map<String, float[]>> model) {
    Preconditions.checkArgument(
        kind == TaskKind.CLASSIFICATION || kind == TaskKind.REGRESSION,
        "%s has a score of its own",
        kind);
    EvaluationBatches batches = new EvaluationBatches(rows, batchSize, BatchLength.LONGEST);
    int[] predictedClasses = new int[rows.size()];
    double[] predictedNumbers = new double[rows.size()];
    for (int i = 0; i < batches.numBatches(); i++) {
      ExampleBatch batch = batches.at(i);
      float[] logits = output(model.apply(batch), ExampleInput.LOGITS);
      int numClasses = logits.length / batch.batchSize();
      for (int row = 0; row < batch.numRows(); row++) {
        predictedClasses[batch.rows()[row]] = largest(logits, row * numClasses, numClasses);
        predictedNumbers[batch.rows()[row]] = logits[row * numClasses];
      }
    }
    if (kind == TaskKind.CLASSIFICATION) {
      return metrics.ofClasses(predictedClasses, rows.targets().classes());
    }
    float[] numbers = rows.targets().numbers();
    double[] expected = new double[numbers.length];
    for (int i = 0; i < expected.length; i++) {
      expected[i] = numbers[i];
    }
    return metrics.ofNumbers(predictedNumbers, expected);
  }

  /**
   * Answers cut from their contexts.
   *
   * @param model gives {@link ExampleInput#STARTS} and {@link ExampleInput#ENDS} (B, T) of a batch
   */
  public Map<Metric, Double> score(
      SpanRows rows, Function<ExampleBatch, Map<String, float[]>> model) {
    EvaluationBatches batches = new EvaluationBatches(rows.rows(), batchSize, BatchLength.LONGEST);
    SpanDecoder decoder = new SpanDecoder(rows, SpanSettings.DEFAULT);
    for (int i = 0; i < batches.numBatches(); i++) {
      ExampleBatch batch = batches.at(i);
      Map<String, float[]> outputs = model.apply(batch);
      decoder.add(batch, output(outputs, ExampleInput.STARTS), output(outputs, ExampleInput.ENDS));
    }
    return metrics.ofAnswers(
        decoder.answers(),
        rows.questions().stream()
            .map(question -> question.answers().stream().map(answer -> answer.text()).toList())
            .toList());
  }

  /**
   * Hidden tokens, the same ones at every call.
   *
   * @param model gives {@link ExampleInput#LOG_PROBABILITIES} and {@link ExampleInput#RIGHT} (M) of
   *     a batch
   */
  public Map<Metric, Double> score(
      TokenRows rows, TokenMasking masking, Function<ExampleBatch, Map<String, float[]>> model) {
    EvaluationBatches batches = new EvaluationBatches(rows, batchSize, BatchLength.LONGEST);
    double logLikelihood = 0;
    long numRight = 0;
    long numGuesses = 0;
    for (int i = 0; i < batches.numBatches(); i++) {
      ExampleBatch batch = masking.mask(batches.at(i), MASKING_SEED, 0);
      int[] places = batch.targets().places();
      if (places.length == 0) {
        continue; // rows of special tokens only
      }
      Map<String, float[]> outputs = model.apply(batch);
      float[] logProbabilities = output(outputs, ExampleInput.LOG_PROBABILITIES);
      float[] right = output(outputs, ExampleInput.RIGHT);
      // rows that fill the last batch come after those that count
      for (int j = 0; j < places.length && places[j] < batch.numRows() * batch.length(); j++) {
        logLikelihood += logProbabilities[j];
        numRight += right[j] == 1 ? 1 : 0;
        numGuesses++;
      }
    }
    Preconditions.checkArgument(numGuesses > 0, "no token was hidden");
    return metrics.ofGuesses(logLikelihood / numGuesses, (double) numRight / numGuesses);
  }

  private static float[] output(Map<String, float[]> outputs, String name) {
    return Objects.requireNonNull(outputs.get(name), name);
  }

  private static int largest(float[] values, int from, int count) {
    int best = 0;
    for (int i = 1; i < count; i++) {
      if (values[from + i] > values[from + best]) {
        best = i;
      }
    }
    return best;
  }
}
