package org.lathe.cli.workflow;

import com.google.common.hash.Funnels;
import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.ConfigSchema;
import org.lathe.cli.config.TaskSection;
import org.lathe.cli.progress.Console;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.batching.StepBatches;
import org.lathe.training.evaluation.TaskScorer;
import org.lathe.training.examples.BatchLength;
import org.lathe.training.examples.Example;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.examples.ExampleBatches;
import org.lathe.training.examples.ExampleReader;
import org.lathe.training.examples.ExampleTokenizer;
import org.lathe.training.examples.Examples;
import org.lathe.training.examples.LabelSet;
import org.lathe.training.examples.MaskedBatches;
import org.lathe.training.examples.PassageReader;
import org.lathe.training.examples.Question;
import org.lathe.training.examples.SpanRows;
import org.lathe.training.examples.SpanTokenizer;
import org.lathe.training.examples.SquadReader;
import org.lathe.training.examples.TaskColumns;
import org.lathe.training.examples.TaskKind;
import org.lathe.training.examples.TaskPreset;
import org.lathe.training.examples.TokenMasking;
import org.lathe.training.examples.TokenRows;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;
import org.lathe.training.metrics.Metric;
import org.lathe.training.metrics.TaskMetrics;
import org.lathe.training.text.InputTokenizer;
import org.lathe.training.text.TokenizerDefinition;

/** The labelled files of a task: how they are laid out, what they hold, and how they are judged. */
final class TaskFiles implements AutoCloseable {
  /** SQuAD's usual overlap of windows, and the tokens of a question that are kept. */
  private static final int STRIDE = 128;

  private static final int MAX_QUESTION_TOKENS = 64;

  /** A window must hold something new: shorter limits have shorter overlaps. */
  private static final int WINDOW_SHARE = 3;

  private final Storage storage;
  private final Console console;
  private final TaskSection task;
  private final @Nullable TaskPreset preset;
  private final TaskKind kind;
  private final @Nullable LabelSet labels;
  private final InputTokenizer tokenizer;
  private final @Nullable TokenMasking masking;

  /**
   * One split, tokenized.
   *
   * @param spans the windows of questions; null for other tasks
   * @param masking what hides tokens; null for other tasks than masked-lm
   */
  record Split(TokenRows rows, @Nullable SpanRows spans, @Nullable TokenMasking masking) {

    /** What to learn from, in another order and with other tokens hidden in every epoch. */
    StepBatches<ExampleBatch> batches(int batchSize, long seed) {
      ExampleBatches whole = new ExampleBatches(rows, batchSize, BatchLength.LONGEST, seed);
      return masking == null ? whole : new MaskedBatches(whole, masking, seed);
    }

    /** Examples, or questions. */
    int numExamples() {
      return spans == null ? rows.size() : spans.questions().size();
    }

    Map<Metric, Double> score(
        TaskScorer scorer, TaskKind kind, Function<ExampleBatch, Map<String, float[]>> model) {
      if (masking != null) {
        return scorer.score(rows, masking, model);
      }
      return spans == null ? scorer.score(rows, kind, model) : scorer.score(spans, model);
    }
  }

  private TaskFiles(
      RunContext context,
      TaskSection task,
      @Nullable TaskPreset preset,
      TaskKind kind,
      @Nullable LabelSet labels,
      InputTokenizer tokenizer,
      @Nullable TokenMasking masking) {
    this.storage = context.storage();
    this.console = context.console();
    this.task = task;
    this.preset = preset;
    this.kind = kind;
    this.labels = labels;
    this.tokenizer = tokenizer;
    this.masking = masking;
  }

  /**
   * Opens a task.
   *
   * @param knownLabels of a model that was trained for it; empty = the preset's, or those of the
   *     training files
   * @throws ConfigException when the preset does not fit the kind
   */
  static TaskFiles open(
      RunContext context,
      TaskSection task,
      TokenizerDefinition definition,
      List<String> knownLabels) {
    TaskPreset preset = task.preset().isBlank() ? null : TaskPreset.named(task.preset());
    TaskKind kind = kind(task);
    if (preset != null && preset.kind() != kind) {
      throw new ConfigException(
          "task.preset "
              + preset.word()
              + " is a task of kind "
              + word(preset.kind())
              + ", but task.kind is "
              + ConfigSchema.wordOf(task.kind())
              + "; make them agree");
    }
    if (preset == null && kind == TaskKind.SPAN) {
      throw new ConfigException("task.preset is empty; expected squad for task.kind span-qa");
    }
    LabelSet usual = preset == null ? null : preset.labels();
    if (usual != null && !knownLabels.isEmpty() && !knownLabels.equals(usual.names())) {
      throw new ConfigException(
          "task.preset "
              + task.preset()
              + " has the labels "
              + usual.names()
              + ", in this order, but the model was trained for "
              + knownLabels
              + "; name the columns of the file instead (task.text, task.label)");
    }
    LabelSet labels = null;
    if (kind == TaskKind.CLASSIFICATION) {
      labels =
          !knownLabels.isEmpty()
              ? new LabelSet(knownLabels)
              : usual != null
                  ? usual
                  : new ExampleReader(context.storage())
                      .readLabels(task.train().stream().map(Path::of).toList(), columns(task));
    }
    InputTokenizer tokenizer =
        switch (kind) {
          case SPAN -> windows(definition, task.maxLength());
          case CLASSIFICATION, REGRESSION -> InputTokenizer.forTexts(definition, task.maxLength());
          // lines are cut into rows later
          case MASKED_LM -> InputTokenizer.forTexts(definition, InputTokenizer.MAX_LENGTH);
        };
    TokenMasking masking =
        kind == TaskKind.MASKED_LM ? masking(definition, tokenizer.encode("", null).ids()) : null;
    return new TaskFiles(context, task, preset, kind, labels, tokenizer, masking);
  }

  /** For questions and contexts, with SQuAD's usual limits where the length has room for them. */
  static InputTokenizer windows(TokenizerDefinition definition, int maxLength) {
    return InputTokenizer.forWindows(
        definition,
        maxLength,
        Math.min(STRIDE, maxLength / WINDOW_SHARE),
        Math.min(MAX_QUESTION_TOKENS, maxLength / WINDOW_SHARE));
  }

  private static TokenMasking masking(TokenizerDefinition definition, int[] ends) {
    int mask =
        definition
            .maskId()
            .orElseThrow(
                () ->
                    new ConfigException(
                        "the tokenizer has no [MASK] and no <mask>, so task.kind masked-lm has"
                            + " nothing to hide words behind; take an encoder whose tokenizer has"
                            + " one"));
    int[] special = Arrays.copyOf(ends, ends.length + 1);
    special[ends.length] = definition.padId();
    return new TokenMasking(mask, definition.vocabularySize(), special);
  }

  /** Of an encoder's task. */
  static TaskKind kind(TaskSection task) {
    return task.kind() == TaskSection.Kind.SPAN_QA
        ? TaskKind.SPAN
        : TaskKind.valueOf(task.kind().name());
  }

  /** What {@code task.kind} calls it. */
  static String word(TaskKind kind) {
    return ConfigSchema.wordOf(kind == TaskKind.SPAN ? TaskSection.Kind.SPAN_QA : kind);
  }

  private static TaskColumns columns(TaskSection task) {
    return new TaskColumns(
        task.header(),
        task.text(),
        task.secondText().isBlank() ? null : task.secondText(),
        task.label(),
        null);
  }

  TaskKind kind() {
    return kind;
  }

  /** Names of the classes; empty where there are none. */
  List<String> labels() {
    return labels == null ? List.of() : labels.names();
  }

  /** The preset's official metrics, else those of the kind. */
  TaskMetrics metrics() {
    if (preset != null) {
      return preset.metrics();
    }
    return switch (kind) {
      case CLASSIFICATION -> TaskMetrics.CLASSIFICATION;
      case REGRESSION -> TaskMetrics.REGRESSION;
      case SPAN -> TaskMetrics.SPANS;
      case MASKED_LM -> TaskMetrics.MASKED_LM;
    };
  }

  /**
   * Reads and tokenizes these files one after the other.
   *
   * @param maxExamples the first ones; 0 = all
   * @throws ConfigException when there are no files, or examples without labels
   */
  Split read(String split, List<String> files, int maxExamples) {
    if (files.isEmpty()) {
      throw new ConfigException(
          "task." + split + " names no files; expected the labelled " + split + " split");
    }
    if (kind == TaskKind.MASKED_LM) {
      TokenRows rows =
          PassageReader.read(
              storage,
              files.stream().map(Path::of).toList(),
              tokenizer,
              task.maxLength(),
              maxExamples);
      return new Split(rows, null, masking);
    }
    if (kind == TaskKind.SPAN) {
      List<Question> questions = new ArrayList<>();
      files.forEach(file -> questions.addAll(SquadReader.read(storage, Path.of(file))));
      questions.stream()
          .filter(question -> question.answers().isEmpty())
          .findFirst()
          .ifPresent(
              question -> {
                throw new ConfigException(
                    "task."
                        + split
                        + ": question '"
                        + question.id()
                        + "' of "
                        + String.join(", ", files)
                        + " has no answer; remove it, or give it one");
              });
      SpanRows spans = SpanTokenizer.tokenize(first(questions, maxExamples), tokenizer);
      return new Split(spans.rows(), spans, null);
    }
    List<Example> all = new ArrayList<>();
    int numSkipped = 0;
    for (String file : files) {
      Examples part = table(Path.of(file));
      all.addAll(part.examples());
      numSkipped += part.numSkipped();
    }
    if (numSkipped > 0) {
      console.note(
          "task.%s: %d of %d rows of %s were broken and are left out"
              .formatted(split, numSkipped, numSkipped + all.size(), String.join(", ", files)));
    }
    Examples examples =
        new Examples(String.join(", ", files), kind, labels, first(all, maxExamples), numSkipped);
    examples.labelValues(); // says what lacks one
    return new Split(ExampleTokenizer.tokenize(examples, tokenizer), null, null);
  }

  private Examples table(Path file) {
    ExampleReader reader = new ExampleReader(storage);
    return preset == null
        ? reader.read(file, columns(task), kind, labels)
        : reader.read(file, preset);
  }

  private static <T> List<T> first(List<T> all, int max) {
    return max == 0 || max >= all.size() ? all : all.subList(0, max);
  }

  /** Of the bytes of these files, one after the other. */
  static String sha256(Storage storage, List<String> files) {
    Hasher hasher = Hashing.sha256().newHasher();
    for (String name : files) {
      Path file = Path.of(name);
      IoGuard.run(
          storage,
          "read",
          file,
          () -> {
            hasher.putLong(storage.size(file));
            try (InputStream in = storage.open(file)) {
              in.transferTo(Funnels.asOutputStream(hasher));
            }
          });
    }
    return hasher.hash().toString();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
