/**
 * Checkpoints that somebody else made: readers with limits for safetensors, ONNX and TensorFlow
 * variables, the table of names, and what a directory of them means. Nothing here runs what it
 * reads.
 */
@NullMarked
package org.lathe.training.pretrained;

import org.jspecify.annotations.NullMarked;
