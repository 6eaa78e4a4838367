package org.lathe.training.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.common.primitives.Floats;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.models.EncoderModel;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.examples.BatchLength;
import org.lathe.training.examples.EvaluationBatches;
import org.lathe.training.examples.RowTargets;
import org.lathe.training.examples.TokenMasking;
import org.lathe.training.examples.TokenRows;
import org.lathe.training.metrics.Metric;
import org.lathe.training.metrics.TaskMetrics;
import org.tensorflow.Graph;
import org.tensorflow.op.Ops;

class TaskScorerTest {
  private static final int VOCABULARY = 12;
  private static final TokenMasking MASKING = new TokenMasking(1, VOCABULARY, 0);
  private static final EncoderConfig ENCODER = EncoderConfig.bert(VOCABULARY, 4, 1, 2, 4, 40);

  /** A model that gives every hidden word these logits: all else is zero. */
  private static Weights constant(float[] logits) {
    Weights weights = new Weights();
    try (Graph graph = new Graph()) {
      VariableCatalog catalog = new VariableCatalog(Ops.create(graph), 0);
      new EncoderModel(catalog, ENCODER, HeadConfig.MASKED_LM);
      for (Variable variable : catalog.all()) {
        weights.put(
            variable.name(), variable.shape(), new float[Math.toIntExact(variable.shape().size())]);
      }
    }
    String bias = HeadConfig.Kind.MASKED_LM.prefix() + "/bias";
    return weights.put(bias, weights.get(bias).shape(), logits);
  }

  /** Rows of several lengths, of all words but padding and the mask. */
  private static TokenRows rows(int count, Random random) {
    int[][] ids = new int[count][];
    int[][] types = new int[count][];
    for (int row = 0; row < count; row++) {
      ids[row] = random.ints(3 + 5L * row, 2, VOCABULARY).toArray();
      types[row] = new int[ids[row].length];
    }
    return new TokenRows(ids, types, RowTargets.NONE, 0, ENCODER.maxLength());
  }

  @Test
  void hiddenWordsAreScoredOnceEach() {
    Random random = new Random(3);
    float[] logits = new float[VOCABULARY];
    for (int word = 0; word < VOCABULARY; word++) {
      logits[word] = (float) random.nextGaussian();
    }
    TokenRows rows = rows(7, random);
    double[] probabilities = Softmax.of(logits);
    int likeliest = Floats.indexOf(logits, Floats.max(logits));
    EvaluationBatches single = new EvaluationBatches(rows, 1, BatchLength.LONGEST);
    double expected = 0;
    int numRight = 0;
    int numHidden = 0;
    for (int i = 0; i < single.numBatches(); i++) {
      int[] words = MASKING.mask(single.at(i), 0, 0).targets().words();
      expected += Arrays.stream(words).mapToDouble(word -> Math.log(probabilities[word])).sum();
      numRight += (int) Arrays.stream(words).filter(word -> word == likeliest).count();
      numHidden += words.length;
    }
    assertThat(numRight).isBetween(1, numHidden - 1);
    // the last of three batches is filled with rows that do not count
    try (EncoderRunner runner =
        new EncoderRunner(ENCODER, HeadConfig.MASKED_LM, constant(logits), "test", 3, 1)) {
      Map<Metric, Double> scores =
          new TaskScorer(TaskMetrics.MASKED_LM, 3).score(rows, MASKING, runner::outputs);
      assertThat(scores.get(Metric.LOG_LIKELIHOOD)).isCloseTo(expected / numHidden, within(1e-5));
      assertThat(scores.get(Metric.ACCURACY)).isEqualTo((double) numRight / numHidden);
    }
  }
}
