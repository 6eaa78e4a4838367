package org.lathe.graphs.layers;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import org.lathe.graphs.config.AdaptiveVocabulary;
import org.lathe.graphs.config.AdaptiveVocabulary.Cluster;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.layers.AdaptiveEmbedding.Part;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.ops.LogSumExp;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.op.linalg.MatMul;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;

/**
 * Adaptive softmax (Grave et al. 2017, tied as in Baevski and Auli 2019):
 *
 * <pre>
 *   h_w = E_0[w] . f     words of the short list        h_C = K_C . f     tail clusters
 *   a_w = h_w            in the short list
 *   a_w = h_C + ln softmax_C(E_C[w] . (P_C f))          in tail cluster C
 *   Zv  = ln (sum_w exp(h_w) + sum_C exp(h_C))
 * </pre>
 *
 * Since a cluster's softmax sums to 1, Zv is the logSumExp of all a_w, and memory joins as it does
 * with one table. The short list needs no projection: its vectors are as wide as f.
 *
 * <p>Names: {@code name/classes} (C, D); where not tied, {@code name/cluster_i/tokens} and {@code
 * name/cluster_i/projection} (d_i, D) of tail clusters. {@link #target} computes a tail cluster for
 * the positions whose target lies in it, and no others.
 */
final class AdaptiveSoftmax implements VocabularyHead {
  private final ImmutableList<Cluster> clusters;
  private final ImmutableList<Variable> tables;

  /** Of cluster i + 1: the short list has none. */
  private final ImmutableList<Variable> tailProjections;

  private final Variable classes;

  private AdaptiveSoftmax(
      ImmutableList<Cluster> clusters,
      ImmutableList<Variable> tables,
      ImmutableList<Variable> tailProjections,
      Variable classes) {
    this.clusters = clusters;
    this.tables = tables;
    this.tailProjections = tailProjections;
    this.classes = classes;
  }

  /**
   * @param input clusters of the embedding, to which the output is tied where the configuration
   *     says so
   */
  static AdaptiveSoftmax declare(
      VariableCatalog catalog,
      String name,
      TransformerConfig config,
      AdaptiveVocabulary adaptive,
      List<Part> input,
      VariableGroup group) {
    boolean tiedProjections = config.tiedOutput() && adaptive.tiedProjections();
    int hiddenSize = config.hiddenSize();
    ImmutableList.Builder<Cluster> clusters = ImmutableList.builder();
    ImmutableList.Builder<Variable> tables = ImmutableList.builder();
    ImmutableList.Builder<Variable> projections = ImmutableList.builder();
    for (int i = 0; i < input.size(); i++) {
      Part part = input.get(i);
      String clusterName = AdaptiveEmbedding.clusterName(name, i);
      clusters.add(part.cluster());
      tables.add(
          config.tiedOutput()
              ? part.tokens()
              : Part.declareTokens(catalog, clusterName, part.cluster(), group));
      if (i > 0) {
        projections.add(
            tiedProjections
                ? part.projection()
                : Part.declareProjection(catalog, clusterName, part.cluster(), hiddenSize, group));
      }
    }
    Variable classes =
        catalog.declare(
            name + "/classes",
            Shape.of(input.size() - 1, hiddenSize),
            Initializer.truncatedNormal(1 / Math.sqrt(hiddenSize)),
            group);
    return new AdaptiveSoftmax(clusters.build(), tables.build(), projections.build(), classes);
  }

  @Override
  public Operand<TFloat32> logits(Ops tf, Operand<TFloat32> outputND, Gates gates) {
    AdaptiveEmbedding.requireNoGate(gates.hidden());
    List<Operand<TFloat32>> parts = new ArrayList<>();
    parts.add(timesRows(tf, outputND, tables.get(0)));
    for (int i = 1; i < clusters.size(); i++) {
      Operand<TFloat32> tailNV = timesRows(tf, project(tf, outputND, i), tables.get(i));
      parts.add(
          tf.math.add(
              tf.expandDims(classLogits(tf, outputND, i), tf.constant(1)),
              LogSumExp.logSoftmax(tf, tailNV)));
    }
    return tf.concat(parts, tf.constant(1));
  }

  @Override
  public Target target(
      Ops tf, Operand<TFloat32> outputND, Operand<TInt32> targetsN, Gates gates, Dropout dropout) {
    AdaptiveEmbedding.requireNoGate(gates.hidden());
    Operand<TFloat32> readND = dropout.call(tf, outputND);
    Operand<TFloat32> headNH = timesRows(tf, readND, tables.get(0));
    Operand<TFloat32> massN =
        LogSumExp.add(
            tf,
            LogSumExp.lastAxis(tf, headNH),
            LogSumExp.lastAxis(tf, timesRows(tf, readND, classes)));
    Operand<TInt64> shapeN = tf.shape(targetsN, TInt64.class);
    List<Operand<TFloat32>> sum = new ArrayList<>();
    for (int i = 0; i < clusters.size(); i++) {
      ClusterRows rows =
          ClusterRows.of(tf, targetsN, clusters.get(i), i == 0, i == clusters.size() - 1);
      Operand<TFloat32> readMD = rows.take(tf, readND);
      Operand<TFloat32> logitsM =
          i == 0
              ? dot(tf, rows.lookUp(tf, tables.get(0)), readMD)
              : tailLogits(tf, readMD, rows, i);
      sum.add(rows.putBack(tf, logitsM, shapeN));
    }
    return new Target(massN, tf.math.addN(sum), headNH);
  }

  /** h_C + ln softmax_C(w): (M, D) -> (M). */
  private Operand<TFloat32> tailLogits(
      Ops tf, Operand<TFloat32> readMD, ClusterRows rows, int cluster) {
    Operand<TFloat32> projected = project(tf, readMD, cluster);
    Operand<TFloat32> word = dot(tf, rows.lookUp(tf, tables.get(cluster)), projected);
    Operand<TFloat32> all = LogSumExp.lastAxis(tf, timesRows(tf, projected, tables.get(cluster)));
    return tf.math.add(classLogits(tf, readMD, cluster), tf.math.sub(word, all));
  }

  /** h_C of one tail cluster: (M, D) -> (M). */
  private Operand<TFloat32> classLogits(Ops tf, Operand<TFloat32> readMD, int cluster) {
    return dot(tf, readMD, tf.gather(classes.value(), tf.constant(cluster - 1), tf.constant(0)));
  }

  private Operand<TFloat32> project(Ops tf, Operand<TFloat32> readMD, int cluster) {
    return timesRows(tf, readMD, tailProjections.get(cluster - 1));
  }

  /** x . each row: (M, d), (rows, d) -> (M, rows). */
  private static Operand<TFloat32> timesRows(Ops tf, Operand<TFloat32> x, Variable rows) {
    return tf.linalg.matMul(x, rows.value(), MatMul.transposeB(true));
  }

  private static Operand<TFloat32> dot(Ops tf, Operand<TFloat32> x, Operand<TFloat32> y) {
    return tf.reduceSum(tf.math.mul(x, y), tf.constant(-1));
  }
}
