/**
 * Checkpoints: weights and training state that a run resumes from. What is in the state is the
 * trainer's business; no graph and no session here.
 */
@org.jspecify.annotations.NullMarked
package org.lathe.training.checkpoint;
