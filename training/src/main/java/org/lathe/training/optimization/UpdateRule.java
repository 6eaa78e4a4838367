package org.lathe.training.optimization;

import org.lathe.graphs.variables.ScalarFeeds;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.tensorflow.Operand;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * The formula of one optimizer for one group. Weight decay, clipping, ascent and limits are the
 * same for all rules and are done outside ({@link UpdateOps}).
 */
interface UpdateRule {

  /**
   * Declares the variable's slots and adds its update.
   *
   * @param tf ops that run after every gradient is computed and weight decay is done; every read
   *     and assignment must be made with it
   * @param gradient to descend, shape of the variable
   * @return the op that has updated the variable and its slots
   */
  Op update(Ops tf, Variable variable, Operand<TFloat32> gradient);

  /** The group's rule; declares its feeds. */
  static UpdateRule of(
      Ops tf,
      VariableCatalog catalog,
      ScalarFeeds feeds,
      ParameterGroup group,
      Operand<TFloat32> learningRate) {
    return switch (group.optimizer().kind()) {
      case ADAMW -> new AdamW(tf, catalog, feeds, group, learningRate);
      case NAG -> new Nag(tf, catalog, feeds, group, learningRate);
    };
  }
}
