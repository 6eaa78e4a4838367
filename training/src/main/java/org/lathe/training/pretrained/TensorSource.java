package org.lathe.training.pretrained;

import java.util.Set;
import org.lathe.graphs.weights.Weights;
import org.tensorflow.ndarray.Shape;

/**
 * Named tensors in somebody else's file. Opening one reads names, types and shapes and checks them
 * against the size of the file; values are read tensor by tensor, as float32.
 */
public interface TensorSource {
  /** Of all tensors, those that do not read as float32 included. */
  Set<String> names();

  /**
   * @throws org.lathe.graphs.errors.CorruptFileException when there is none of that name
   */
  Shape shape(String name);

  /**
   * Values of one tensor, row-major, as they lie in the file.
   *
   * @throws org.lathe.graphs.errors.CorruptFileException when there is none of that name, it holds
   *     integers, or it is damaged
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  Weights.Array read(String name);

  /**
   * Whether a matrix lies as (in, out) although its name is one that usually means (out, in); so it
   * is where an exporter has folded the transposition into the weight.
   */
  default boolean liesInOut(String name) {
    return false;
  }

  /** Path of the file or directory, for messages. */
  String place();
}
