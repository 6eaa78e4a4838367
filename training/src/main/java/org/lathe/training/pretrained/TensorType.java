package org.lathe.training.pretrained;

import org.jspecify.annotations.Nullable;

/** Element types of foreign tensors, named as safetensors names them. */
enum TensorType {
  F64(8, true),
  F32(4, true),
  F16(2, true),
  BF16(2, true),
  F8_E4M3(1, false),
  F8_E5M2(1, false),
  I64(8, false),
  I32(4, false),
  I16(2, false),
  I8(1, false),
  U64(8, false),
  U32(4, false),
  U16(2, false),
  U8(1, false),
  BOOL(1, false);

  private final int sizeBytes;
  private final boolean readable;

  TensorType(int sizeBytes, boolean readable) {
    this.sizeBytes = sizeBytes;
    this.readable = readable;
  }

  /** Of one element. */
  int sizeBytes() {
    return sizeBytes;
  }

  /** Whether it is read as float32; the 8-bit floats need scales that these files do not have. */
  boolean readsAsFloat() {
    return readable;
  }

  /** Null for a name that is none of these. */
  static @Nullable TensorType named(String name) {
    for (TensorType type : values()) {
      if (type.name().equals(name)) {
        return type;
      }
    }
    return null;
  }
}
