/**
 * Which tokens form which batch, as pure functions of the step. No files are written and no
 * TensorFlow types come in here.
 */
@org.jspecify.annotations.NullMarked
package org.lathe.training.batching;
