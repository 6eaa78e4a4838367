package org.lathe.export.savedmodel;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.variables.ValueSource;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.tensorflow.Operand;
import org.tensorflow.Tensor;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.VarHandleOp;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.family.TNumber;
import org.tensorflow.types.family.TType;

/**
 * The variables of {@link PackedWeights} in a served graph, and what makes float32 of them. The
 * model's own variables of those names lose their readers, and the export leaves them out.
 */
final class PackedVariables {
  private final Map<String, SaverOps.Saved> saved = new LinkedHashMap<>();

  /**
   * What the saver has to restore of a model: the packed variables, whose place in the computation
   * is taken here, and what stays as it is. To be called between the declaration of the model and
   * its call.
   *
   * @param catalog of the model
   * @param weights null = nothing is packed
   */
  static List<SaverOps.Saved> saved(
      Ops tf, VariableCatalog catalog, @Nullable PackedWeights weights) {
    return weights == null
        ? catalog.all().stream().map(SaverOps.Saved::of).toList()
        : new PackedVariables(tf, catalog, weights).with(catalog);
  }

  private PackedVariables(Ops tf, VariableCatalog catalog, PackedWeights weights) {
    weights
        .tensors()
        .forEach(
            (name, tensor) -> {
              Class<? extends TType> type = ((TType) tensor).type();
              VarHandleOp handle =
                  tf.withName("packed." + name.replace('/', '.'))
                      .varHandleOp(type, tensor.shape(), VarHandleOp.sharedName(name));
              saved.put(
                  name, new SaverOps.Saved(name, type, handle, tf.readVariableOp(handle, type)));
            });
    for (String name : weights.packedNames()) {
      catalog.computeFrom(name, source(name, weights.tensors()));
    }
  }

  private List<SaverOps.Saved> with(VariableCatalog catalog) {
    List<SaverOps.Saved> all = new ArrayList<>();
    for (Variable variable : catalog.all()) {
      if (!saved.containsKey(variable.name())) {
        all.add(SaverOps.Saved.of(variable));
      }
    }
    all.addAll(saved.values());
    return all;
  }

  private ValueSource source(String name, Map<String, Tensor> tensors) {
    Operand<? extends TNumber> packed = read(name);
    String factorsName = name + PackedWeights.FACTORS;
    Tensor factors = tensors.get(factorsName);
    return factors == null
        ? new Halves(packed)
        : new Bytes(packed, read(factorsName), factors.shape().get(1) == 1);
  }

  @SuppressWarnings("unchecked") // every packed type is a number
  private <T extends TNumber> Operand<T> read(String name) {
    return (Operand<T>) Objects.requireNonNull(saved.get(name)).read();
  }

  /** float16. */
  private record Halves(Operand<? extends TNumber> packed) implements ValueSource {
    @Override
    public Operand<TFloat32> value(Ops tf) {
      return tf.dtypes.cast(packed, TFloat32.class);
    }

    @Override
    public Operand<TFloat32> rows(Ops tf, Operand<TInt32> indicesN) {
      return tf.dtypes.cast(tf.gather(packed, indicesN, tf.constant(0)), TFloat32.class);
    }
  }

  /**
   * (q - {@link PackedMatrix#ZERO}) s.
   *
   * @param factors s: (R, 1) or (1, C)
   */
  private record Bytes(Operand<? extends TNumber> packed, Operand<TFloat32> factors, boolean byRow)
      implements ValueSource {
    @Override
    public Operand<TFloat32> value(Ops tf) {
      return unpacked(tf, packed, factors);
    }

    @Override
    public Operand<TFloat32> rows(Ops tf, Operand<TInt32> indicesN) {
      return unpacked(
          tf,
          tf.gather(packed, indicesN, tf.constant(0)),
          byRow ? tf.gather(factors, indicesN, tf.constant(0)) : factors);
    }

    private static Operand<TFloat32> unpacked(
        Ops tf, Operand<? extends TNumber> values, Operand<TFloat32> scales) {
      Operand<TFloat32> steps =
          tf.math.sub(
              tf.dtypes.cast(values, TFloat32.class), tf.constant((float) PackedMatrix.ZERO));
      return tf.math.mul(steps, scales);
    }
  }
}
