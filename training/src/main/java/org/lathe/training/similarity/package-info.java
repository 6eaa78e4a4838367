/**
 * Which segments of a text resemble each other: a search with Lucene's BM25 and the order made from
 * it. No TensorFlow types come in here.
 */
@org.jspecify.annotations.NullMarked
package org.lathe.training.similarity;
