package org.lathe.export.retrieval;

import com.google.common.collect.ImmutableList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.lathe.graphs.retrieval.IvfGraph;
import org.lathe.training.datastore.IvfIndex;
import org.lathe.training.datastore.IvfTensors;
import org.tensorflow.Operand;
import org.tensorflow.Output;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.VarHandleOp;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.family.TType;

/**
 * The variables of an external memory in a graph, of several types. They are no part of the model's
 * catalog: nothing trains them and no checkpoint knows them.
 */
public final class MemoryVariables {

  /**
   * One of them.
   *
   * @param name key in the tensor bundle
   * @param read its one read in the graph
   */
  public record MemoryVariable(
      String name,
      Class<? extends TType> type,
      VarHandleOp handle,
      Operand<? extends TType> read) {}

  private final ImmutableList<MemoryVariable> variables;

  /**
   * Declares them.
   *
   * @param tensors what they will hold: only types and shapes are asked
   */
  public MemoryVariables(Ops tf, MemoryTensors tensors) {
    ImmutableList.Builder<MemoryVariable> declared = ImmutableList.builder();
    tensors
        .byName()
        .forEach(
            (name, tensor) -> {
              Class<? extends TType> type = ((TType) tensor).type();
              VarHandleOp handle =
                  tf.withName(name.replace('/', '.'))
                      .varHandleOp(type, tensor.shape(), VarHandleOp.sharedName(name));
              declared.add(new MemoryVariable(name, type, handle, tf.readVariableOp(handle, type)));
            });
    variables = declared.build();
  }

  /** In the order of the tensors. */
  public List<MemoryVariable> all() {
    return variables;
  }

  /** The search. */
  IvfGraph graph(IvfIndex index) {
    Map<String, Operand<? extends TType>> operands = new LinkedHashMap<>();
    variables.forEach(
        variable ->
            operands.put(
                variable.name().substring(MemoryTensors.PREFIX.length()), variable.read()));
    return IvfTensors.graph(index, operands);
  }

  /** Tokens of the items: (N). */
  Operand<TInt32> values() {
    return ints(MemoryTensors.VALUES);
  }

  /** First item of each document, ascending: (M). */
  Operand<TInt32> firstItems() {
    return ints(MemoryTensors.DOCUMENTS);
  }

  private Output<TInt32> ints(String name) {
    return variables.stream()
        .filter(variable -> variable.name().equals(MemoryTensors.PREFIX + name))
        .map(variable -> Objects.requireNonNull(variable.read()).asOutput().expect(TInt32.class))
        .findFirst()
        .orElseThrow();
  }
}
