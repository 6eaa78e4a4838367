package org.lathe.cli.config;

import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.NormPlacement;
import org.lathe.graphs.config.TransformerConfig;

/**
 * Everything a run is asked to do. Binds one to one to the YAML; every key and its default stands
 * in the resource {@code defaults.yaml}.
 *
 * @param seed of all randomness: split, initial values, batches, dropout, gates
 * @param threads of TensorFlow's pools; 0 = one per core
 * @param task what an encoder is fine-tuned for; a language model is the default
 * @param data the text and how it becomes token files
 * @param model shape and arithmetic of the Transformer
 * @param memory the memory in the training objective
 * @param recurrence memory carried from segment to segment
 * @param training batches, optimizer, schedule, checkpoints
 * @param evaluation windows and memories when measuring
 * @param pruning what is removed, how much and how
 * @param export what is published
 */
public record RunConfig(
    long seed,
    int threads,
    TaskSection task,
    DataSection data,
    ModelSection model,
    MemorySection memory,
    RecurrenceSection recurrence,
    TrainingSection training,
    EvaluationSection evaluation,
    PruningSection pruning,
    ExportSection export) {
  public RunConfig {
    Check.between("threads", threads, 0, 1024);
    Check.require(
        training.segmentLength() <= model.maxPositions(),
        "training.segmentLength",
        training.segmentLength(),
        "at most model.maxPositions (" + model.maxPositions() + ")");
    Check.require(
        evaluation.window() <= model.maxPositions(),
        "evaluation.window",
        evaluation.window(),
        "at most model.maxPositions (" + model.maxPositions() + ")");
    Check.require(
        pruning.length() <= model.maxPositions(),
        "pruning.length",
        pruning.length(),
        "at most model.maxPositions (" + model.maxPositions() + ")");
    int group = memory.segmentsPerGroup();
    Check.require(
        group == 0 || training.batchSize() % group == 0,
        "memory.segmentsPerGroup",
        group,
        "0 or a divisor of training.batchSize (" + training.batchSize() + ")");
    int keySize = memory.keySize();
    Check.require(
        keySize == 0
            || (keySize >= TransformerConfig.KEY_SIZE_MIN && keySize <= model.hiddenSize()),
        "memory.keySize",
        keySize,
        "0 or a width from "
            + TransformerConfig.KEY_SIZE_MIN
            + " to model.hiddenSize ("
            + model.hiddenSize()
            + ")");
    if (recurrence.present()) {
      requireRecurrent(model, memory, recurrence, training.segmentLength());
    }
  }

  /** The same for another task. */
  public RunConfig withTask(TaskSection newTask) {
    return new RunConfig(
        seed,
        threads,
        newTask,
        data,
        model,
        memory,
        recurrence,
        training,
        evaluation,
        pruning,
        export);
  }

  /** The same for another model and its memory. */
  public RunConfig withModel(ModelSection newModel, MemorySection newMemory) {
    return new RunConfig(
        seed,
        threads,
        task,
        data,
        newModel,
        newMemory,
        recurrence,
        training,
        evaluation,
        pruning,
        export);
  }

  private static void requireRecurrent(
      ModelSection model, MemorySection memory, RecurrenceSection recurrence, int segmentLength) {
    Check.require(
        model.norm() == NormPlacement.PRE, "model.norm", model.norm(), "pre in a recurrent model");
    Check.require(
        memory.objective() == MemoryObjective.NONE || memory.objective() == MemoryObjective.LOCAL,
        "memory.objective",
        memory.objective(),
        "none or local in a recurrent model, whose rows are different texts");
    Check.require(
        memory.keySize() == 0,
        "memory.keySize",
        memory.keySize(),
        "0 in a recurrent model, whose memory is no store of keys");
    if (recurrence.compresses()) {
      Check.require(
          recurrence.memoryLength() >= segmentLength,
          "recurrence.memoryLength",
          recurrence.memoryLength(),
          "at least training.segmentLength (" + segmentLength + ") with compression");
      Check.require(
          segmentLength % recurrence.rate() == 0,
          "recurrence.rate",
          recurrence.rate(),
          "a divisor of training.segmentLength (" + segmentLength + ")");
    }
  }

  /**
   * The model that is trained, for a vocabulary of this size.
   *
   * @throws org.lathe.graphs.errors.ConfigException when a cut-off lies beyond it
   */
  public TransformerConfig toTransformerConfig(int vocabularySize) {
    return model.toTransformerConfig(vocabularySize).withKeySize(memory.keySize());
  }

  /** Tokens per optimizer step. */
  public long tokensPerStep() {
    return (long) training.segmentLength() * training.batchSize() * training.accumulationSteps();
  }
}
