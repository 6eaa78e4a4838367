package org.lathe.graphs.variables;

import com.google.common.base.Preconditions;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.ReadVariableOp;
import org.tensorflow.op.core.VarHandleOp;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/** One float32 resource variable of a graph. Made by {@link VariableCatalog#declare} only. */
public final class Variable {
  private final String name;
  private final Shape shape;
  private final VariableGroup group;
  private final Ops tf;
  private final VarHandleOp handle;
  private final Op assignInitialValue;
  private @Nullable ReadVariableOp<TFloat32> read;
  private @Nullable UnaryOperator<Operand<TFloat32>> transform;
  private @Nullable ValueSource source;
  private @Nullable Operand<TFloat32> value;

  Variable(
      Ops tf, String name, Shape shape, VariableGroup group, Initializer initializer, long seed) {
    this.tf = tf;
    this.name = name;
    this.shape = shape;
    this.group = group;
    // op names may not hold slashes, shared names may: the latter are what checkpoints see
    handle =
        tf.withName(name.replace('/', '.'))
            .varHandleOp(TFloat32.class, shape, VarHandleOp.sharedName(name));
    assignInitialValue = tf.assignVariableOp(handle, initializer.call(tf, shape, seed));
  }

  /** Slash-separated, unique in its catalog; the key in checkpoints and SavedModels. */
  public String name() {
    return name;
  }

  public Shape shape() {
    return shape;
  }

  public VariableGroup group() {
    return group;
  }

  public long size() {
    return shape.size();
  }

  public VarHandleOp handle() {
    return handle;
  }

  /** The op that assigns the first value; run once for a new session. */
  public Op initialize() {
    return assignInitialValue;
  }

  /**
   * The one read of this variable in its graph: what is saved, what is updated, and what gradients
   * are taken with respect to. Layers compute with {@link #value}.
   */
  public Operand<TFloat32> read() {
    if (read == null) {
      read = tf.readVariableOp(handle, TFloat32.class);
    }
    return read;
  }

  /**
   * What layers compute with: {@link #read}, or what {@link VariableCatalog#readThrough} or {@link
   * VariableCatalog#computeFrom} has put in its place.
   */
  public Operand<TFloat32> value() {
    if (value == null) {
      if (source != null) {
        value = source.value(tf);
      } else {
        value = transform == null ? read() : transform.apply(read());
      }
    }
    return value;
  }

  /** Rows of {@link #value} by their numbers: (N) -> (N, ...). */
  public Operand<TFloat32> rows(Ops tf, Operand<TInt32> indicesN) {
    return source == null
        ? tf.gather(value(), indicesN, tf.constant(0))
        : source.rows(tf, indicesN);
  }

  void readThrough(UnaryOperator<Operand<TFloat32>> newTransform) {
    requireUnread();
    transform = newTransform;
  }

  void computeFrom(ValueSource newSource) {
    requireUnread();
    source = newSource;
  }

  private void requireUnread() {
    Preconditions.checkState(
        transform == null && source == null, "variable '%s' is read through already", name);
    Preconditions.checkState(
        value == null, "variable '%s' has readers already; transform it before the call", name);
  }

  @Override
  public String toString() {
    return name + shape + " " + group;
  }
}
