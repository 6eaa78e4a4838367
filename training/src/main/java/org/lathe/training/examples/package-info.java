/**
 * Labelled examples of encoder tasks: reading, tokens and batches. No TensorFlow types come in
 * here.
 */
@org.jspecify.annotations.NullMarked
package org.lathe.training.examples;
