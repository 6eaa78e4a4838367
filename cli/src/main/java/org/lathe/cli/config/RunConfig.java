package org.lathe.cli.config;

/**
 * Everything a run is asked to do. Binds one to one to the YAML; every key and its default stands
 * in the resource {@code defaults.yaml}.
 *
 * @param seed of all randomness: split, initial values, batches, dropout, gates
 * @param threads of TensorFlow's pools; 0 = one per core
 * @param data the text and how it becomes token files
 * @param model shape and arithmetic of the Transformer
 * @param memory the memory in the training objective
 * @param training batches, optimizer, schedule, checkpoints
 * @param evaluation windows and memories when measuring
 * @param pruning what is removed, how much and how
 * @param export what is published
 */
public record RunConfig(
    long seed,
    int threads,
    DataSection data,
    ModelSection model,
    MemorySection memory,
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
  }

  /** Tokens per optimizer step. */
  public long tokensPerStep() {
    return (long) training.segmentLength() * training.batchSize() * training.accumulationSteps();
  }
}
