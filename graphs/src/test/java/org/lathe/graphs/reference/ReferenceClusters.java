package org.lathe.graphs.reference;

import java.util.List;
import java.util.Map;
import org.lathe.graphs.config.AdaptiveVocabulary;
import org.lathe.graphs.config.TransformerConfig;

/**
 * Adaptive input and softmax by loops in doubles, following Baevski and Auli 2019: clusters are
 * found from the cut-offs anew, and probabilities are products of probabilities, not sums of
 * logarithms.
 */
public final class ReferenceClusters {
  private final TransformerConfig config;
  private final AdaptiveVocabulary adaptive;
  private final Map<String, double[]> weights;

  private ReferenceClusters(
      TransformerConfig config, AdaptiveVocabulary adaptive, Map<String, double[]> weights) {
    this.config = config;
    this.adaptive = adaptive;
    this.weights = weights;
  }

  static ReferenceClusters of(TransformerConfig config, Map<String, double[]> weights) {
    AdaptiveVocabulary adaptive = config.adaptive();
    if (adaptive == null) {
      throw new IllegalArgumentException("one table");
    }
    return new ReferenceClusters(config, adaptive, weights);
  }

  /** The word's row times its cluster's projection, (D). */
  double[] embed(int word) {
    int cluster = cluster(word);
    int width = width(cluster);
    int hidden = config.hiddenSize();
    double[] table = w("embedding/cluster_" + cluster + "/tokens");
    double[] projection = w("embedding/cluster_" + cluster + "/projection");
    double[] embedded = new double[hidden];
    for (int d = 0; d < hidden; d++) {
      for (int k = 0; k < width; k++) {
        embedded[d] += table[(word - begin(cluster)) * width + k] * projection[k * hidden + d];
      }
    }
    return embedded;
  }

  /** a_w = ln (mass of w), (T, D) -> (T, V). */
  double[][] logits(double[][] output) {
    double[][] logits = new double[output.length][config.vocabularySize()];
    for (int t = 0; t < output.length; t++) {
      for (int word = 0; word < config.vocabularySize(); word++) {
        logits[t][word] = Math.log(mass(output[t], word));
      }
    }
    return logits;
  }

  private double mass(double[] output, int word) {
    int cluster = cluster(word);
    if (cluster == 0) {
      return Math.exp(dot(words(0), word, output));
    }
    double[] projected = project(output, cluster);
    double[] table = words(cluster);
    double all = 0;
    for (int other = begin(cluster); other < begin(cluster + 1); other++) {
      all += Math.exp(dot(table, other - begin(cluster), projected));
    }
    double within = Math.exp(dot(table, word - begin(cluster), projected)) / all;
    return Math.exp(dot(w("output/classes"), cluster - 1, output)) * within;
  }

  private double[] project(double[] output, int cluster) {
    int hidden = config.hiddenSize();
    boolean tied = config.tiedOutput() && adaptive.tiedProjections();
    double[] projection =
        w((tied ? "embedding" : "output") + "/cluster_" + cluster + "/projection");
    double[] projected = new double[width(cluster)];
    for (int k = 0; k < projected.length; k++) {
      for (int d = 0; d < hidden; d++) {
        projected[k] += output[d] * projection[k * hidden + d];
      }
    }
    return projected;
  }

  private double[] words(int cluster) {
    return w((config.tiedOutput() ? "embedding" : "output") + "/cluster_" + cluster + "/tokens");
  }

  private static double dot(double[] table, int row, double[] x) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += table[row * x.length + i] * x[i];
    }
    return sum;
  }

  private int cluster(int word) {
    return (int) adaptive.cutoffs().stream().filter(cutoff -> cutoff <= word).count();
  }

  /** First word of a cluster; of the one behind the last, V. */
  private int begin(int cluster) {
    List<Integer> cutoffs = adaptive.cutoffs();
    return cluster == 0
        ? 0
        : cluster <= cutoffs.size() ? cutoffs.get(cluster - 1) : config.vocabularySize();
  }

  private int width(int cluster) {
    return (int) (config.hiddenSize() / Math.pow(adaptive.factor(), cluster));
  }

  private double[] w(String name) {
    double[] values = weights.get("decoder/" + name);
    if (values == null) {
      throw new IllegalArgumentException("no weight " + name + " among " + weights.keySet());
    }
    return values;
  }
}
