package org.lathe.cli.workflow;

import java.util.Locale;
import org.lathe.cli.config.EvaluationSection;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.config.RecurrenceSection;
import org.lathe.cli.config.RunConfig;
import org.lathe.graphs.config.RecurrenceConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.evaluation.LanguageModelScorer;
import org.lathe.training.evaluation.RecurrentScorer;
import org.lathe.training.evaluation.TextScorer;

/** Scores text with the model of a run, whether it remembers earlier segments or not. */
final class RunScorer {
  private RunScorer() {}

  /** The run's own memory, with what an evaluation may change of it. */
  static RecurrenceSection recurrence(RunDirectory run, RunConfig config) {
    RecurrenceSection trained = run.config(Overrides.NONE).recurrence();
    RecurrenceSection wanted = config.recurrence();
    if (trained.memoryLength() != wanted.memoryLength()
        || trained.compression() != wanted.compression()
        || trained.rate() != wanted.rate()
        || trained.compressedLength() != wanted.compressedLength()) {
      throw new ConfigException(
          "recurrence.memoryLength, compression, rate and compressedLength of "
              + run.path()
              + " are those of its training; set recurrence.testMemoryLength or"
              + " recurrence.testCompressedLength to measure with another memory");
    }
    return wanted;
  }

  /** With its weights as they are now. */
  static TextScorer open(RunDirectory run, RecurrenceSection recurrence, int threads) {
    String source = run.path().toString();
    return recurrence.present()
        ? new RecurrentScorer(
            run.record().model(), recurrence.toTestConfig(), run.modelWeights(), source, threads)
        : new LanguageModelScorer(run.record().model(), run.modelWeights(), source, threads);
  }

  /** How a text is cut for it, for a person. */
  static String describe(EvaluationSection settings, RecurrenceSection recurrence) {
    if (!recurrence.present()) {
      return String.format(
          Locale.ROOT, "window %d, stride %d", settings.window(), settings.stride());
    }
    RecurrenceConfig memory = recurrence.toTestConfig();
    String remembered =
        String.format(
            Locale.ROOT,
            "segments of %d, %d positions remembered",
            settings.stride(),
            memory.memoryLength());
    return memory.compression().present()
        ? remembered + " and " + memory.compression().length() + " slots"
        : remembered;
  }
}
