package org.lathe.training.text;

/**
 * What an encoder reads of a text or a pair, special tokens included.
 *
 * @param ids token ids, T
 * @param tokenTypes segment of each token, T: in BERT's way 0 up to the first [SEP] and 1 after it
 */
public record EncodedInput(int[] ids, int[] tokenTypes) {}
