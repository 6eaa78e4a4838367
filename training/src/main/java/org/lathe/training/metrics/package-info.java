/**
 * How well predictions match what was expected, as plain arithmetic: no files and no TensorFlow
 * types come in here. Every score is a fraction; what prints them may say percent.
 */
@org.jspecify.annotations.NullMarked
package org.lathe.training.metrics;
