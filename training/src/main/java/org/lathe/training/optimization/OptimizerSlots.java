package org.lathe.training.optimization;

import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;

/** Names and declares the variables that an optimizer keeps beside a model's variable. */
final class OptimizerSlots {
  private OptimizerSlots() {}

  /** A slot of the variable's shape, zero at first, named {@code optimizer/<variable>/<slot>}. */
  static Variable declare(VariableCatalog catalog, Variable variable, String slot) {
    return catalog.declare(
        "optimizer/" + variable.name() + "/" + slot,
        variable.shape(),
        Initializer.zeros(),
        VariableGroup.OPTIMIZER);
  }
}
