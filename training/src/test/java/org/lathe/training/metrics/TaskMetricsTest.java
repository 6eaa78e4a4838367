package org.lathe.training.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TaskMetricsTest {
  @Test
  void classesNumbersAndAnswers() {
    int[] predicted = {1, 1, 0, 0};
    int[] expected = {1, 0, 0, 0};
    Map<Metric, Double> scores = TaskMetrics.DETECTION.ofClasses(predicted, expected);
    assertThat(scores).containsExactly(entry(Metric.ACCURACY, 0.75), entry(Metric.F1, 2.0 / 3));
    assertThat(TaskMetrics.DETECTION.selection(scores)).isEqualTo((0.75 + 2.0 / 3) / 2);
    assertThat(TaskMetrics.ACCEPTABILITY.ofClasses(predicted, expected))
        .containsExactly(entry(Metric.MATTHEWS, ClassScores.matthews(predicted, expected)));

    double[] numbers = {1, 2, 9};
    Map<Metric, Double> correlations =
        TaskMetrics.REGRESSION.ofNumbers(numbers, new double[] {1, 2, 3});
    assertThat(correlations.get(Metric.SPEARMAN)).isCloseTo(1, within(1e-12));
    assertThat(correlations.get(Metric.PEARSON)).isBetween(0.9, 0.95);

    Map<Metric, Double> answers =
        TaskMetrics.SPANS.ofAnswers(
            List.of("the red house", "x"), List.of(List.of("house"), List.of("y", "x")));
    assertThat(answers)
        .containsExactly(
            entry(Metric.EXACT_MATCH, 0.5), entry(Metric.ANSWER_F1, (2.0 / 3 + 1) / 2));
    assertThat(TaskMetrics.SPANS.selection(answers)).isEqualTo(answers.get(Metric.ANSWER_F1));
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertThatThrownBy(() -> TaskMetrics.REGRESSION.ofClasses(new int[1], new int[1]))
        .hasMessageContaining("pearson is not a metric of classes");
    assertThatThrownBy(() -> new TaskMetrics(List.of(Metric.ACCURACY), List.of(Metric.F1)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> TaskMetrics.SPANS.selection(Map.of(Metric.EXACT_MATCH, 1.0)))
        .hasMessageContaining("answer-f1");
  }
}
