package org.lathe.graphs.layers;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.AdaptiveVocabulary;
import org.lathe.graphs.config.AdaptiveVocabulary.Cluster;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;

/**
 * Adaptive input (Baevski and Auli 2019, section 3): word w of cluster i becomes E_i[w] P_i, times
 * the embedding factor. Names: {@code name/cluster_i/tokens} (V_i, d_i) and {@code
 * name/cluster_i/projection} (d_i, D), the short list included, without biases. Only rows that
 * occur are projected; no (V, D) table is made.
 */
public final class AdaptiveEmbedding implements TokenVectors {
  private final AdaptiveVocabulary adaptive;
  private final ImmutableList<Part> parts;
  private final int hiddenSize;
  private final float scale;

  /** A cluster with its variables. */
  record Part(Cluster cluster, Variable tokens, Variable projection) {

    static Part declare(
        VariableCatalog catalog,
        String name,
        Cluster cluster,
        int hiddenSize,
        VariableGroup group) {
      return new Part(
          cluster,
          declareTokens(catalog, name, cluster, group),
          declareProjection(catalog, name, cluster, hiddenSize, group));
    }

    static Variable declareTokens(
        VariableCatalog catalog, String name, Cluster cluster, VariableGroup group) {
      return catalog.declare(
          name + "/tokens",
          Shape.of(cluster.size(), cluster.width()),
          Initializer.truncatedNormal(1 / Math.sqrt(cluster.width())),
          group);
    }

    /** Glorot's variance 2 / (in + out) serves both directions of a tied projection. */
    static Variable declareProjection(
        VariableCatalog catalog,
        String name,
        Cluster cluster,
        int hiddenSize,
        VariableGroup group) {
      return catalog.declare(
          name + "/projection",
          Shape.of(cluster.width(), hiddenSize),
          Initializer.truncatedNormal(Math.sqrt(2.0 / (cluster.width() + hiddenSize))),
          group);
    }
  }

  AdaptiveEmbedding(
      VariableCatalog catalog,
      String name,
      TransformerConfig config,
      AdaptiveVocabulary adaptive,
      VariableGroup group) {
    this.adaptive = adaptive;
    hiddenSize = config.hiddenSize();
    scale = (float) config.embeddingScale();
    ImmutableList.Builder<Part> builder = ImmutableList.builder();
    List<Cluster> clusters = adaptive.clusters(config.vocabularySize(), hiddenSize);
    for (int i = 0; i < clusters.size(); i++) {
      builder.add(Part.declare(catalog, clusterName(name, i), clusters.get(i), hiddenSize, group));
    }
    parts = builder.build();
  }

  static String clusterName(String name, int index) {
    return name + "/cluster_" + index;
  }

  /**
   * @throws ConfigException for a hidden gate: cluster tables cannot be sliced by it
   */
  @Override
  public Operand<TFloat32> call(
      Ops tf, Operand<TInt32> tokensN, @Nullable Operand<TFloat32> hiddenGate) {
    requireNoGate(hiddenGate);
    Operand<TInt64> shapeND =
        tf.concat(
            List.of(tf.shape(tokensN, TInt64.class), tf.constant(new long[] {hiddenSize})),
            tf.constant(0));
    List<Operand<TFloat32>> sum = new ArrayList<>();
    for (int i = 0; i < parts.size(); i++) {
      Part part = parts.get(i);
      ClusterRows rows = ClusterRows.of(tf, tokensN, part.cluster(), i == 0, i == parts.size() - 1);
      Operand<TFloat32> projectedMD =
          tf.linalg.matMul(rows.lookUp(tf, part.tokens()), part.projection().value());
      sum.add(rows.putBack(tf, projectedMD, shapeND));
    }
    return tf.math.mul(tf.math.addN(sum), tf.constant(scale));
  }

  @Override
  public VocabularyHead head(
      VariableCatalog catalog, String name, TransformerConfig config, VariableGroup group) {
    return AdaptiveSoftmax.declare(catalog, name, config, adaptive, parts, group);
  }

  static void requireNoGate(@Nullable Operand<TFloat32> hiddenGate) {
    if (hiddenGate != null) {
      throw new ConfigException(
          "hidden units of a model with an adaptive vocabulary (model.cutoffs) cannot be gated;"
              + " train a model without cut-offs to prune it");
    }
  }
}
