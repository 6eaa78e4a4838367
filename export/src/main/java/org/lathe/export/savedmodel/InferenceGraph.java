package org.lathe.export.savedmodel;

import com.google.common.collect.ImmutableMap;
import java.util.List;
import java.util.Map;
import org.lathe.graphs.variables.Variable;
import org.tensorflow.ndarray.Shape;

/**
 * The ops of a served model: the model once, the signatures on top of it, and the ops that restore
 * its variables. No dropout, no gates, nothing that trains.
 */
interface InferenceGraph {

  List<Endpoint> endpoints();

  SaverOps saver();

  /** Of the model; what else is saved beside it is not among them. */
  List<Variable> variables();

  /** Name to shape of the model's variables, in order of declaration. */
  default Map<String, Shape> variableShapes() {
    ImmutableMap.Builder<String, Shape> shapes = ImmutableMap.builder();
    variables().forEach(variable -> shapes.put(variable.name(), variable.shape()));
    return shapes.buildOrThrow();
  }
}
