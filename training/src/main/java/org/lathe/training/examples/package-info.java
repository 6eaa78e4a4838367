/**
 * Labelled examples of encoder tasks: from tables and SQuAD files to token ids, batches and
 * answers. Files are read here, with limits; no TensorFlow types come in.
 */
@org.jspecify.annotations.NullMarked
package org.lathe.training.examples;
