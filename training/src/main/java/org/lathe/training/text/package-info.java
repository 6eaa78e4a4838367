/**
 * Text to token ids and back: tokenizers, the trainer of byte-pair encodings and the files they are
 * kept in. No TensorFlow types come in here.
 */
@org.jspecify.annotations.NullMarked
package org.lathe.training.text;
