package org.lathe.graphs.variables;

/** What a variable is for. Optimizers, checkpoints and exporters ask the catalog by group. */
public enum VariableGroup {
  /** Trained weights of the model. */
  MODEL,
  /** Weights of the model that are never trained, such as sinusoidal positions. */
  FROZEN,
  /** Weights of another model that only gives targets; its own run keeps them. */
  TEACHER,
  /** Logits of the pruning gates. */
  GATE,
  /** Lagrange multipliers. */
  MULTIPLIER,
  /** Trained helpers that never leave training, such as the distillation projection. */
  AUXILIARY,
  /** What a recurrent model remembers between training batches; a checkpoint keeps it. */
  STATE,
  /** Values that matter within one validation only; no checkpoint keeps them. */
  SCRATCH,
  /** Optimizer moments and gradient accumulators. */
  OPTIMIZER
}
