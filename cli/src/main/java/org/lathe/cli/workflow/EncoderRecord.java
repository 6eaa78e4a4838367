package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableList;
import java.util.List;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.training.evaluation.EncoderRunner;
import org.lathe.training.examples.TaskKind;

/**
 * An encoder with a task, in {@code run.json}. Its tokenizer lies beside it as {@code
 * tokenizer.json}.
 *
 * @param config of the encoder, slim for a pruned run
 * @param head of its task
 * @param labels names of the classes in the order of the logits; empty where there are none
 */
record EncoderRecord(EncoderConfig config, HeadConfig head, List<String> labels) {
  EncoderRecord {
    labels = ImmutableList.copyOf(labels);
  }

  /** What the head answers to. */
  TaskKind kind() {
    return switch (head.kind()) {
      case POOLED_CLASSIFIER, TANH_CLASSIFIER, RELU_CLASSIFIER ->
          head.numClasses() == 1 ? TaskKind.REGRESSION : TaskKind.CLASSIFICATION;
      case SPAN -> TaskKind.SPAN;
      case MASKED_LM -> TaskKind.MASKED_LM;
    };
  }

  /**
   * The best model of this record's run in a session; close it.
   *
   * @param batchSize B of every batch
   */
  EncoderRunner runner(RunDirectory run, int batchSize, int threads) {
    return new EncoderRunner(
        config, head, run.encoderWeights(head), run.path().toString(), batchSize, threads);
  }
}
