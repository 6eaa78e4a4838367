/**
 * Documents, their split into train, valid and test, and memory-mapped files of tokens. No
 * TensorFlow types come in here.
 */
@org.jspecify.annotations.NullMarked
package org.lathe.training.data;
