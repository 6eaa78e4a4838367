package org.lathe.training.pretrained;

/**
 * What a safetensors header may be. The first is the format's own; the others keep what a header
 * makes us allocate in proportion to its bytes.
 *
 * @param headerBytes length of the JSON text
 * @param tensors in one file
 * @param dimensions of one tensor
 * @param nameLength characters of a tensor's name
 * @param stringLength characters of any other string
 */
record SafetensorsLimits(
    long headerBytes, int tensors, int dimensions, int nameLength, int stringLength) {
  static final SafetensorsLimits DEFAULT =
      new SafetensorsLimits(100_000_000, 1_000_000, 8, 10_000, 20_000_000);
}
