package org.lathe.graphs.models;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.RecurrenceConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * The memory of a recurrent model kept in variables from call to call, empty at first. Names {@code
 * name/recent/layer_i} (B, M, D), {@code name/recent/valid} (B, M), and with compression {@code
 * name/compressed/layer_i} (B, C, D), {@code name/compressed/valid} (B, C).
 */
public final class RecurrentState {
  private final Part recent;
  private final @Nullable Part compressed;

  private record Part(List<Variable> layers, Variable valid) {

    static Part declare(
        VariableCatalog catalog,
        String name,
        TransformerConfig config,
        int batchSize,
        int length,
        VariableGroup group) {
      List<Variable> layers = new ArrayList<>();
      for (int layer = 0; layer < config.numLayers(); layer++) {
        layers.add(
            catalog.declare(
                name + "/layer_" + layer,
                Shape.of(batchSize, length, config.hiddenSize()),
                Initializer.zeros(),
                group));
      }
      return new Part(
          layers,
          catalog.declare(
              name + "/valid", Shape.of(batchSize, length), Initializer.zeros(), group));
    }

    RecurrentMemory.Slots read(Ops tf, Operand<TFloat32> continues) {
      return new RecurrentMemory.Slots(
          layers.stream().map(Variable::read).toList(), tf.math.mul(valid.read(), continues));
    }

    void assign(Ops tf, RecurrentMemory.Slots next, List<Op> assignments) {
      for (int layer = 0; layer < layers.size(); layer++) {
        assignments.add(
            tf.assignVariableOp(layers.get(layer).handle(), next.layersBMD().get(layer)));
      }
      assignments.add(tf.assignVariableOp(valid.handle(), next.validBM()));
    }
  }

  /**
   * @param batchSize B, rows
   * @param group STATE where checkpoints keep it, SCRATCH where not
   */
  public RecurrentState(
      VariableCatalog catalog,
      String name,
      TransformerConfig config,
      RecurrenceConfig recurrence,
      int batchSize,
      VariableGroup group) {
    recent =
        Part.declare(
            catalog, name + "/recent", config, batchSize, recurrence.memoryLength(), group);
    compressed =
        recurrence.compression().present()
            ? Part.declare(
                catalog,
                name + "/compressed",
                config,
                batchSize,
                recurrence.compression().length(),
                group)
            : null;
  }

  /**
   * The memory as it stands before the segment.
   *
   * @param continues scalar: 1, or 0 where a new text begins and the memory counts as empty
   */
  public RecurrentMemory memory(Ops tf, Operand<TFloat32> continues) {
    return new RecurrentMemory(
        recent.read(tf, continues), compressed == null ? null : compressed.read(tf, continues));
  }

  /**
   * Ops that keep the memory for the next segment. They depend on {@code next}, which depends on
   * the reads of {@link #memory}, so nothing is read after it was replaced.
   */
  public List<Op> keep(Ops tf, RecurrentMemory next) {
    List<Op> assignments = new ArrayList<>();
    recent.assign(tf, next.recent(), assignments);
    if (compressed != null && next.compressed() != null) {
      compressed.assign(tf, next.compressed(), assignments);
    }
    return assignments;
  }
}
