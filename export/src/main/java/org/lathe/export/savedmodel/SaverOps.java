package org.lathe.export.savedmodel;

import com.google.common.collect.ImmutableList;
import java.util.Collections;
import java.util.List;
import org.lathe.graphs.variables.Variable;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TString;
import org.tensorflow.types.family.TType;

/** Tensor and op names that TensorFlow's loader needs to fill the variables. */
record SaverOps(String filenameTensor, String saveTensor, String restoreOp) {

  /** A variable of any type. */
  record Saved(String name, Class<? extends TType> type, Operand<?> handle, Operand<?> read) {
    static Saved of(Variable variable) {
      return new Saved(variable.name(), TFloat32.class, variable.handle(), variable.read());
    }
  }

  /** SaveV2 and RestoreV2 over all variables; TensorFlow's loader feeds the file name. */
  static SaverOps build(Ops tf, List<Saved> variables) {
    String[] names = variables.stream().map(Saved::name).toArray(String[]::new);
    Operand<TString> filename =
        tf.withName("saver_filename")
            .placeholderWithDefault(tf.constant("variables"), Shape.scalar());
    Operand<TString> tensorNames = strings(tf, names);
    Operand<TString> wholeTensors =
        strings(tf, Collections.nCopies(names.length, "").toArray(new String[0]));

    ImmutableList.Builder<Operand<?>> values = ImmutableList.builder();
    variables.forEach(variable -> values.add(variable.read()));
    Op save = tf.train.save(filename, tensorNames, wholeTensors, values.build());
    Operand<TString> saved =
        tf.withControlDependencies(save).withName("saver_saved").identity(filename);

    ImmutableList.Builder<Class<? extends TType>> types = ImmutableList.builder();
    variables.forEach(variable -> types.add(variable.type()));
    var restore = tf.train.restore(filename, tensorNames, wholeTensors, types.build());
    ImmutableList.Builder<Op> assignments = ImmutableList.builder();
    for (int i = 0; i < variables.size(); i++) {
      Operand<TType> value = restore.op().output(i);
      assignments.add(tf.assignVariableOp(variables.get(i).handle(), value));
    }
    Op restoreAll =
        tf.withControlDependencies(assignments.build()).withName("saver_restore_all").noOp();
    return new SaverOps(
        NamedTensor.graphName(filename), NamedTensor.graphName(saved), restoreAll.op().name());
  }

  private static Operand<TString> strings(Ops tf, String[] values) {
    try (TString tensor = TString.vectorOf(values)) {
      return tf.constantOf(tensor);
    }
  }
}
