package org.lathe.graphs.layers;

import java.util.List;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.ops.Masks;
import org.lathe.graphs.ops.SequenceShape;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.op.train.BatchMatMul;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Multi-head attention of a segment to itself and to what came before it, with relative positions
 * (Dai et al. 2019, section 3.3). With i the distance of key j from query t and R the sinusoidal
 * encoding of distances:
 *
 * <pre>
 *   score(t, j) = [(q_t + u) . k_j + (q_t + v) . (W_R R_i)] / sqrt(H)
 * </pre>
 *
 * per head, u and v shared ({@link RelativeBiases}). No projection has a bias. Names {@code
 * name/query}, {@code key}, {@code value}, {@code position}, {@code output}, each with a kernel.
 *
 * <p>Shape letters: B batch, T length of the segment, K length of past and segment, D hidden, N
 * heads, H head size.
 */
public final class RelativeSelfAttention {
  private final Linear query;
  private final Linear key;
  private final Linear value;
  private final Linear position;
  private final Linear output;
  private final RelativeBiases biases;
  private final int numHeads;
  private final int headSize;

  /**
   * @param output attended values (B*T, D)
   * @param usageBK mean attention that each key got, over the heads and queries
   */
  public record Output(Operand<TFloat32> output, Operand<TFloat32> usageBK) {}

  public RelativeSelfAttention(
      VariableCatalog catalog,
      String name,
      int hiddenSize,
      int numHeads,
      int headSize,
      RelativeBiases biases,
      VariableGroup group) {
    int contextSize = numHeads * headSize;
    this.query = withoutBias(catalog, name + "/query", hiddenSize, contextSize, group);
    this.key = withoutBias(catalog, name + "/key", hiddenSize, contextSize, group);
    this.value = withoutBias(catalog, name + "/value", hiddenSize, contextSize, group);
    this.position = withoutBias(catalog, name + "/position", hiddenSize, contextSize, group);
    this.output = withoutBias(catalog, name + "/output", contextSize, hiddenSize, group);
    this.biases = biases;
    this.numHeads = numHeads;
    this.headSize = headSize;
  }

  private static Linear withoutBias(
      VariableCatalog catalog, String name, int inputSize, int outputSize, VariableGroup group) {
    return new Linear(
        catalog, name, inputSize, outputSize, false, Initializer.scaledByFanIn(), group);
  }

  /**
   * @param segment (B*T, D): gives the queries
   * @param context (B*K, D): the past, then the segment; gives keys and values
   * @param contextShape B and K
   * @param distancesKD encodings of the distances K - 1 .. 0
   * @param mask additive, broadcast to (B, N, T, K); hides every key after its query
   */
  public Output call(
      Ops tf,
      Operand<TFloat32> segment,
      SequenceShape shape,
      Operand<TFloat32> context,
      SequenceShape contextShape,
      Operand<TFloat32> distancesKD,
      Operand<TFloat32> mask,
      Dropout dropout) {
    Operand<TFloat32> queries = query.call(tf, segment);
    Operand<TFloat32> contentQueryBNTH =
        splitHeads(tf, tf.math.add(queries, biases.content()), shape);
    Operand<TFloat32> positionQueryBNTH =
        splitHeads(tf, tf.math.add(queries, biases.position()), shape);
    Operand<TFloat32> keyBNKH = splitHeads(tf, key.call(tf, context), contextShape);
    Operand<TFloat32> valueBNKH = splitHeads(tf, value.call(tf, context), contextShape);
    Operand<TFloat32> distance1NKH =
        splitHeads(
            tf,
            position.call(tf, distancesKD),
            new SequenceShape(tf.constant(1), contextShape.length()));

    Operand<TFloat32> contentBNTK = products(tf, contentQueryBNTH, keyBNKH);
    Operand<TFloat32> positionBNTK =
        shift(tf, products(tf, positionQueryBNTH, distance1NKH), shape, contextShape.length());
    Operand<TFloat32> scoresBNTK =
        tf.math.add(scaled(tf, tf.math.add(contentBNTK, positionBNTK)), mask);
    Operand<TFloat32> probabilitiesBNTK = tf.nn.softmax(scoresBNTK);
    Operand<TFloat32> contextBNTH =
        tf.train.batchMatMul(dropout.attention(tf, probabilitiesBNTK), valueBNKH, TFloat32.class);
    return new Output(
        output.call(tf, Heads.merge(tf, contextBNTH, numHeads, headSize)),
        tf.math.mean(probabilitiesBNTK, tf.constant(new int[] {1, 2})));
  }

  /**
   * What each head reads from these keys by content alone, all of them visible: (B, N, T, H). No
   * gradient reaches this layer's weights or the queries' input, so that only what made the keys
   * learns from it.
   *
   * @param segment (B*T, D)
   * @param keys (B*S, D)
   * @param validBS 1 where there is a key, 0 where not
   */
  Operand<TFloat32> readByContent(
      Ops tf,
      Operand<TFloat32> segment,
      SequenceShape shape,
      Operand<TFloat32> keys,
      SequenceShape keysShape,
      Operand<TBool> validBS) {
    Operand<TFloat32> queryBNTH =
        splitHeads(
            tf,
            tf.math.add(
                query.callFixed(tf, tf.stopGradient(segment)), tf.stopGradient(biases.content())),
            shape);
    Operand<TFloat32> keyBNSH = splitHeads(tf, key.callFixed(tf, keys), keysShape);
    Operand<TFloat32> valueBNSH = splitHeads(tf, value.callFixed(tf, keys), keysShape);
    Operand<TFloat32> maskB11S =
        tf.expandDims(
            tf.expandDims(Masks.additive(tf, validBS, TFloat32.class), tf.constant(1)),
            tf.constant(1));
    Operand<TFloat32> scoresBNTS =
        tf.math.add(scaled(tf, products(tf, queryBNTH, keyBNSH)), maskB11S);
    return tf.train.batchMatMul(tf.nn.softmax(scoresBNTS), valueBNSH, TFloat32.class);
  }

  /**
   * From columns by distance to columns by key: column c of the input stands for distance K - 1 -
   * c, and query t finds key j at distance K - T + t - j, so row t moves left by T - 1 - t. A
   * column put before the first, and the rows laid behind each other with another length, do that
   * for all rows at once. What stands in the columns after a row's last key belongs to another row;
   * the mask hides it.
   */
  static Operand<TFloat32> shift(
      Ops tf, Operand<TFloat32> byDistanceBNTK, SequenceShape shape, Operand<TInt32> keys) {
    Operand<TInt32> dims = tf.shape(byDistanceBNTK);
    Operand<TInt32> heads = tf.gather(dims, tf.constant(1), tf.constant(0));
    Operand<TFloat32> padded =
        tf.pad(
            byDistanceBNTK,
            tf.constant(new int[][] {{0, 0}, {0, 0}, {0, 0}, {1, 0}}),
            tf.constant(0f));
    Operand<TFloat32> relaid =
        tf.reshape(
            padded,
            tf.stack(
                List.of(
                    shape.batchSize(), heads, tf.math.add(keys, tf.constant(1)), shape.length())));
    Operand<TFloat32> withoutFirst =
        tf.slice(
            relaid, tf.constant(new int[] {0, 0, 1, 0}), tf.constant(new int[] {-1, -1, -1, -1}));
    return tf.reshape(withoutFirst, dims);
  }

  private static Operand<TFloat32> products(
      Ops tf, Operand<TFloat32> queries, Operand<TFloat32> keys) {
    return tf.train.batchMatMul(queries, keys, TFloat32.class, BatchMatMul.adjY(true));
  }

  private Operand<TFloat32> scaled(Ops tf, Operand<TFloat32> scores) {
    return tf.math.mul(scores, tf.constant((float) (1 / Math.sqrt(headSize))));
  }

  /** (B*T, N*H) -> (B, N, T, H). */
  private Operand<TFloat32> splitHeads(Ops tf, Operand<TFloat32> x, SequenceShape shape) {
    return Heads.split(tf, x, shape, numHeads, headSize);
  }
}
