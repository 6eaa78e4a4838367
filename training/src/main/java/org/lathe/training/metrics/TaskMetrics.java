package org.lathe.training.metrics;

import com.google.common.base.Preconditions;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What a task reports, and which of it chooses the best checkpoint.
 *
 * @param reported every metric of the task
 * @param selecting the reported ones whose mean chooses the best checkpoint; GLUE averages its two
 *     where a task has two
 */
public record TaskMetrics(List<Metric> reported, List<Metric> selecting) {
  /** A task with classes of its own. */
  public static final TaskMetrics CLASSIFICATION = of(Metric.ACCURACY);

  /** A task whose classes are yes (1) and no. */
  public static final TaskMetrics DETECTION = of(Metric.ACCURACY, Metric.F1);

  /** Acceptability, where one class is rare. */
  public static final TaskMetrics ACCEPTABILITY = of(Metric.MATTHEWS);

  /** A task with numbers. */
  public static final TaskMetrics REGRESSION = of(Metric.PEARSON, Metric.SPEARMAN);

  /** Answers as spans of text. */
  public static final TaskMetrics SPANS =
      new TaskMetrics(List.of(Metric.EXACT_MATCH, Metric.ANSWER_F1), List.of(Metric.ANSWER_F1));

  /** Hidden tokens, guessed by their probability. */
  public static final TaskMetrics MASKED_LM =
      new TaskMetrics(
          List.of(Metric.LOG_LIKELIHOOD, Metric.ACCURACY), List.of(Metric.LOG_LIKELIHOOD));

  public TaskMetrics {
    reported = List.copyOf(reported);
    selecting = List.copyOf(selecting);
    Preconditions.checkArgument(
        !selecting.isEmpty() && reported.containsAll(selecting),
        "%s must be among the reported %s",
        selecting,
        reported);
  }

  private static TaskMetrics of(Metric... metrics) {
    return new TaskMetrics(List.of(metrics), List.of(metrics));
  }

  /**
   * Scores of predicted classes.
   *
   * @throws IllegalArgumentException when a reported metric is not one of classes
   */
  public Map<Metric, Double> ofClasses(int[] predicted, int[] expected) {
    Map<Metric, Double> scores = new EnumMap<>(Metric.class);
    for (Metric metric : reported) {
      scores.put(
          metric,
          switch (metric) {
            case ACCURACY -> ClassScores.accuracy(predicted, expected);
            case F1 -> ClassScores.f1(predicted, expected);
            case MATTHEWS -> ClassScores.matthews(predicted, expected);
            case PEARSON, SPEARMAN, EXACT_MATCH, ANSWER_F1, LOG_LIKELIHOOD ->
                throw misfit(metric, "classes");
          });
    }
    return scores;
  }

  /**
   * Scores of predicted numbers.
   *
   * @throws IllegalArgumentException when a reported metric is not one of numbers
   */
  public Map<Metric, Double> ofNumbers(double[] predicted, double[] expected) {
    Map<Metric, Double> scores = new EnumMap<>(Metric.class);
    for (Metric metric : reported) {
      scores.put(
          metric,
          switch (metric) {
            case PEARSON -> Correlations.pearson(predicted, expected);
            case SPEARMAN -> Correlations.spearman(predicted, expected);
            case ACCURACY, F1, MATTHEWS, EXACT_MATCH, ANSWER_F1, LOG_LIKELIHOOD ->
                throw misfit(metric, "numbers");
          });
    }
    return scores;
  }

  /**
   * Scores of answers, means over the questions.
   *
   * @param references right answers of each question, at least one
   * @throws IllegalArgumentException when a reported metric is not one of answers
   */
  public Map<Metric, Double> ofAnswers(List<String> answers, List<List<String>> references) {
    Preconditions.checkArgument(
        answers.size() == references.size() && !answers.isEmpty(),
        "%s answers to %s questions; expected as many, and at least one",
        answers.size(),
        references.size());
    Map<Metric, Double> scores = new EnumMap<>(Metric.class);
    for (Metric metric : reported) {
      double[] each = new double[answers.size()];
      for (int i = 0; i < each.length; i++) {
        each[i] =
            switch (metric) {
              case EXACT_MATCH -> AnswerScores.exactMatch(answers.get(i), references.get(i));
              case ANSWER_F1 -> AnswerScores.f1(answers.get(i), references.get(i));
              case ACCURACY, F1, MATTHEWS, PEARSON, SPEARMAN, LOG_LIKELIHOOD ->
                  throw misfit(metric, "answers");
            };
      }
      scores.put(metric, Arrays.stream(each).average().orElseThrow());
    }
    return scores;
  }

  /** Scores of guessed words. */
  public Map<Metric, Double> ofGuesses(double logLikelihood, double accuracy) {
    Map<Metric, Double> scores = new EnumMap<>(Metric.class);
    for (Metric metric : reported) {
      scores.put(
          metric,
          switch (metric) {
            case LOG_LIKELIHOOD -> logLikelihood;
            case ACCURACY -> accuracy;
            case F1, MATTHEWS, PEARSON, SPEARMAN, EXACT_MATCH, ANSWER_F1 ->
                throw misfit(metric, "guesses");
          });
    }
    return scores;
  }

  /** The number by which checkpoints are compared, the higher the better. */
  public double selection(Map<Metric, Double> scores) {
    double sum = 0;
    for (Metric metric : selecting) {
      Double score = scores.get(metric);
      Preconditions.checkArgument(score != null, "no %s among %s", metric.word(), scores);
      sum += score;
    }
    return sum / selecting.size();
  }

  private static IllegalArgumentException misfit(Metric metric, String what) {
    return new IllegalArgumentException(metric.word() + " is not a metric of " + what);
  }
}
