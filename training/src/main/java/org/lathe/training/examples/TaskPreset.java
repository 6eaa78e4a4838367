package org.lathe.training.examples;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.metrics.TaskMetrics;

/**
 * The tasks of GLUE (Wang et al. 2018) and SQuAD 1.1 by name: what they predict, which columns
 * their files have, and by which metrics they are judged. GLUE's own files fit, and files that are
 * cut to the columns a task needs, in any order and under GLUE's names or "label". Test sets come
 * without labels.
 */
public enum TaskPreset {
  SST_2,
  COLA,
  RTE,
  STS_B,
  MRPC,
  QNLI,
  MNLI,
  QQP,
  SQUAD;

  /** Names of label columns, the one to prefer first: MNLI also has each annotator's label1... */
  private static final List<String> LABEL_NAMES =
      List.of("gold_label", "label", "score", "Quality", "is_duplicate");

  private static final List<String> ID_NAMES = List.of("index", "id");

  /** CoLA's files with labels: source, label, the authors' mark, sentence; no header. */
  private static final TaskColumns COLA_COLUMNS = new TaskColumns(false, "4", null, "2", null);

  private static final int NUM_COLA_COLUMNS = 4;

  /**
   * The task of a name: "sst-2", "SST2" and "sst_2" are the same.
   *
   * @throws ConfigException for a name that is none
   */
  public static TaskPreset named(String name) {
    return Arrays.stream(values())
        .filter(preset -> plain(preset.word()).equals(plain(name)))
        .findFirst()
        .orElseThrow(
            () ->
                new ConfigException(
                    "\"%s\" is no known task; expected one of %s, or name the columns of your own."
                        .formatted(
                            name,
                            Arrays.stream(values())
                                .map(TaskPreset::word)
                                .collect(Collectors.joining(", ")))));
  }

  /** "sst-2", "cola", ... */
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** What the task predicts. */
  public TaskKind kind() {
    return switch (this) {
      case STS_B -> TaskKind.REGRESSION;
      case SQUAD -> TaskKind.SPAN;
      case SST_2, COLA, RTE, MRPC, QNLI, MNLI, QQP -> TaskKind.CLASSIFICATION;
    };
  }

  /** The classes in the order of their indices; null unless the task is a classification. */
  public @Nullable LabelSet labels() {
    return switch (this) {
      case SST_2, COLA, MRPC, QQP -> LabelSet.of("0", "1");
      case RTE, QNLI -> LabelSet.of("entailment", "not_entailment");
      case MNLI -> LabelSet.of("entailment", "neutral", "contradiction");
      case STS_B, SQUAD -> null;
    };
  }

  /** The official metrics. */
  public TaskMetrics metrics() {
    return switch (this) {
      case SST_2, RTE, QNLI, MNLI -> TaskMetrics.CLASSIFICATION;
      case MRPC, QQP -> TaskMetrics.DETECTION;
      case COLA -> TaskMetrics.ACCEPTABILITY;
      case STS_B -> TaskMetrics.REGRESSION;
      case SQUAD -> TaskMetrics.SPANS;
    };
  }

  /** Whether rows of a wrong number of columns are left out: QQP's train set has some. */
  boolean skipsBrokenRows() {
    return this == QQP;
  }

  /** The columns of a file with this first row; null when it does not fit. */
  @Nullable TaskColumns columns(List<String> firstRow) {
    for (List<String> names : texts()) {
      if (firstRow.containsAll(names)) {
        return new TaskColumns(
            true,
            names.get(0),
            names.size() > 1 ? names.get(1) : null,
            firstOf(LABEL_NAMES, firstRow),
            firstOf(ID_NAMES, firstRow));
      }
    }
    return this == COLA && firstRow.size() == NUM_COLA_COLUMNS ? COLA_COLUMNS : null;
  }

  /** For a message: what a first row should hold. */
  String expectedColumns() {
    return texts().stream().map(Object::toString).collect(Collectors.joining(" or "));
  }

  private static @Nullable String firstOf(List<String> wanted, List<String> present) {
    return wanted.stream().filter(present::contains).findFirst().orElse(null);
  }

  private static String plain(String name) {
    return name.toLowerCase(Locale.ROOT).replaceAll("[-_ ]", "");
  }

  /** Names of the texts: alternatives, each of as many names as the task has texts. */
  private List<List<String>> texts() {
    return switch (this) {
      case SST_2, COLA -> List.of(List.of("sentence"));
      case RTE, STS_B, MNLI -> List.of(List.of("sentence1", "sentence2"));
      case MRPC -> List.of(List.of("#1 String", "#2 String"), List.of("sentence1", "sentence2"));
      case QNLI -> List.of(List.of("question", "sentence"));
      case QQP -> List.of(List.of("question1", "question2"));
      case SQUAD -> List.of();
    };
  }
}
