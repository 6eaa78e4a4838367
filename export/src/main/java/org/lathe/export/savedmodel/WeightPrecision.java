package org.lathe.export.savedmodel;

import com.google.common.base.Ascii;
import com.google.common.base.Preconditions;
import org.jspecify.annotations.Nullable;

/**
 * How the matrices of a served model lie in its variables. Whatever it is, the graph computes in
 * float32: packed matrices are unpacked in each call, of tables only the rows that are looked up.
 * That saves disk, transfer and the server's memory, and costs time.
 */
public enum WeightPrecision {
  /** As trained. */
  FLOAT32,
  /** IEEE half precision: relative error up to 2^-11. Matrices with values beyond it stay. */
  FLOAT16,
  /** One byte a value, one float32 factor for each row or each column; see {@link PackedMatrix}. */
  INT8;

  /** As people write it: "int8". */
  public String label() {
    return Ascii.toLowerCase(name());
  }

  /** A reference of somebody else's does not know the rounded weights. */
  void requireReference(@Nullable Object reference) {
    Preconditions.checkArgument(
        this == FLOAT32 || reference == null,
        "weights of %s can be compared with the training-side graph only; leave the reference out",
        label());
  }
}
