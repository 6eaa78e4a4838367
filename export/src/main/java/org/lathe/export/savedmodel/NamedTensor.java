package org.lathe.export.savedmodel;

import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.types.family.TType;

/**
 * A tensor under the name by which clients feed or fetch it.
 *
 * @param shape that a client sees; -1 = any size
 */
record NamedTensor(String name, Operand<? extends TType> operand, Shape shape) {

  /** Such as DT_INT32. */
  String type() {
    return operand.asOutput().dataType().name();
  }

  /** As SavedModels name tensors: "op:index". */
  String graphName() {
    return graphName(operand);
  }

  static String graphName(Operand<?> operand) {
    return operand.asOutput().op().name() + ":" + operand.asOutput().index();
  }
}
