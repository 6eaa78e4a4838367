package org.lathe.training.examples;

import com.google.common.base.Preconditions;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.ConfigException;

/**
 * The examples of one file, in its order.
 *
 * @param source the file, for messages
 * @param kind CLASSIFICATION or REGRESSION
 * @param labels the classes; null for regression
 * @param numSkipped rows left out because they were broken, where a task allows that
 */
public record Examples(
    String source,
    TaskKind kind,
    @Nullable LabelSet labels,
    List<Example> examples,
    int numSkipped) {
  public Examples {
    examples = List.copyOf(examples);
    Preconditions.checkArgument(
        kind != TaskKind.SPAN && (labels != null) == (kind == TaskKind.CLASSIFICATION),
        "labels %s for a task of kind %s",
        labels,
        kind);
  }

  /** Number of examples. */
  public int size() {
    return examples.size();
  }

  /** Whether every example has its label. */
  public boolean isLabelled() {
    return examples.stream().allMatch(Example::isLabelled);
  }

  /**
   * Labels of all examples: class indices or numbers.
   *
   * @throws ConfigException when an example has none
   */
  public double[] labelValues() {
    if (!isLabelled()) {
      throw new ConfigException(
          "%s has no labels, but training and scores need them; name its label column, or another file."
              .formatted(source));
    }
    return examples.stream().mapToDouble(Example::label).toArray();
  }
}
