package org.lathe.pruning.masks;

import org.lathe.graphs.config.TransformerConfig;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * A kernel cut into equal blocks: (numRows * rowSize, numColumns * columnSize). In attention 32 x
 * 32 (Lagunas et al. 2021), where the model is that large, and never across heads; in feed-forward
 * layers a unit's whole column of up and whole row of down, under scores of one shape.
 */
record BlockGrid(int numRows, int rowSize, int numColumns, int columnSize) {
  private static final int LARGEST_EDGE = 32;

  /**
   * @param name of a kernel of {@link PrunableKernels}
   * @param shape (in, out)
   */
  static BlockGrid of(TransformerConfig config, String name, Shape shape) {
    int rows = Math.toIntExact(shape.get(0));
    int columns = Math.toIntExact(shape.get(1));
    if (name.endsWith("/up/kernel")) {
      return new BlockGrid(1, rows, columns, 1);
    }
    if (name.endsWith("/down/kernel")) {
      return new BlockGrid(rows, 1, 1, columns);
    }
    int hiddenEdge = edge(config.hiddenSize());
    int headEdge = edge(config.headSize());
    return name.endsWith("/output/kernel")
        ? new BlockGrid(rows / headEdge, headEdge, columns / hiddenEdge, hiddenEdge)
        : new BlockGrid(rows / hiddenEdge, hiddenEdge, columns / headEdge, headEdge);
  }

  /** The largest divisor up to 32. */
  private static int edge(int size) {
    int edge = Math.min(size, LARGEST_EDGE);
    while (size % edge != 0) {
      edge--;
    }
    return edge;
  }

  Shape scoreShape() {
    return Shape.of(numRows, numColumns);
  }

  int weightsPerBlock() {
    return rowSize * columnSize;
  }

  /**
   * Each block of the kernel times its factor.
   *
   * @param factors one of each block, in rows; the shape does not matter
   */
  Operand<TFloat32> multiply(Ops tf, Operand<TFloat32> kernel, Operand<TFloat32> factors) {
    Operand<TFloat32> blocks =
        tf.reshape(kernel, tf.constant(new int[] {numRows, rowSize, numColumns, columnSize}));
    Operand<TFloat32> each =
        tf.reshape(factors, tf.constant(new int[] {numRows, 1, numColumns, 1}));
    return tf.reshape(
        tf.math.mul(blocks, each),
        tf.constant(new int[] {numRows * rowSize, numColumns * columnSize}));
  }
}
