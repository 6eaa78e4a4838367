package org.lathe.graphs.variables;

import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * What layers compute with in place of a variable's own read, where the value is not at hand as
 * float32 and making all of it would cost more than making the rows that are asked for.
 */
public interface ValueSource {

  /** The whole value, of the variable's shape. Called once in a graph at most. */
  Operand<TFloat32> value(Ops tf);

  /** The same as rows of {@link #value}: (N) -> (N, ...). */
  Operand<TFloat32> rows(Ops tf, Operand<TInt32> indicesN);
}
