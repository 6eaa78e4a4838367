package org.lathe.graphs.reference;

import java.util.Map;
import org.lathe.graphs.config.Activation;
import org.lathe.graphs.config.NormPlacement;
import org.lathe.graphs.config.TransformerConfig;

/**
 * A whole decoder by loops in doubles, one sequence at a time. Follows the formulas of Vaswani et
 * al. 2017 (attention, sinusoids), Ba et al. 2016 (LayerNorm) and TRIME (memory representation =
 * input of the last feed-forward sublayer; learned keys = LayerNorm(g W)), not the graph code.
 */
public final class ReferenceDecoder {
  /** Rows of one sequence: outputs f (T, D), memory keys (T, D or P), logits (T, V). */
  public record Output(double[][] output, double[][] tap, double[][] logits) {}

  private final TransformerConfig config;
  private final Map<String, double[]> weights;

  /**
   * @param weights by full variable name; sinusoids are computed here, not taken from it
   */
  public ReferenceDecoder(TransformerConfig config, Map<String, double[]> weights) {
    this.config = config;
    this.weights = weights;
  }

  public Output call(int[] tokens) {
    int length = tokens.length;
    int width = config.hiddenSize();
    double[][] x = new double[length][width];
    for (int t = 0; t < length; t++) {
      for (int d = 0; d < width; d++) {
        double[] embedded =
            config.adaptive() == null
                ? null
                : ReferenceClusters.of(config, weights).embed(tokens[t]);
        double value =
            embedded == null ? w("embedding/tokens")[tokens[t] * width + d] : embedded[d];
        x[t][d] = value * config.embeddingScale() + position(t, d);
      }
    }
    double[][] tap = x;
    for (int layer = 0; layer < config.numLayers(); layer++) {
      String name = "layer_" + layer;
      boolean pre = config.normPlacement() == NormPlacement.PRE;
      if (config.blocks().get(layer).numHeads() > 0) {
        String norm = name + "/attention_norm";
        int heads = config.blocks().get(layer).numHeads();
        x =
            pre
                ? add(x, attention(name + "/attention", norm(norm, x), heads))
                : norm(norm, add(x, attention(name + "/attention", x, heads)));
      }
      String norm = name + "/feed_forward_norm";
      boolean fed = config.blocks().get(layer).intermediateSize() > 0;
      boolean last = layer == config.numLayers() - 1;
      if (pre && (fed || last)) {
        tap = norm(norm, x);
      } else if (!pre) {
        tap = x;
      }
      if (fed) {
        x =
            pre
                ? add(x, feedForward(name + "/feed_forward", tap))
                : norm(norm, add(x, feedForward(name + "/feed_forward", x)));
      }
    }
    double[][] output = config.finalNorm() ? norm("final_norm", x) : x;
    if (config.adaptive() != null) {
      return new Output(output, keys(tap), ReferenceClusters.of(config, weights).logits(output));
    }
    double[] table = w(config.tiedOutput() ? "embedding/tokens" : "output/kernel");
    double[][] logits = new double[length][config.vocabularySize()];
    for (int t = 0; t < length; t++) {
      for (int v = 0; v < config.vocabularySize(); v++) {
        for (int d = 0; d < width; d++) {
          logits[t][v] += output[t][d] * table[v * width + d];
        }
      }
    }
    return new Output(output, keys(tap), logits);
  }

  /** g itself, or LayerNorm(g W) with W (D, P). */
  private double[][] keys(double[][] tap) {
    if (config.keySize() == null) {
      return tap;
    }
    int size = config.keySize();
    double[][] projected = project(tap, w("memory/projection/kernel"), size);
    return norm("memory/norm", projected);
  }

  /** x W with W (in, size), row-major. */
  public static double[][] project(double[][] x, double[] kernel, int size) {
    double[][] y = new double[x.length][size];
    for (int t = 0; t < x.length; t++) {
      for (int p = 0; p < size; p++) {
        for (int d = 0; d < x[t].length; d++) {
          y[t][p] += x[t][d] * kernel[d * size + p];
        }
      }
    }
    return y;
  }

  /** fairseq's table: sines in the first half, cosines in the second, w_i = 10000^(-i/(h-1)). */
  private double position(int t, int d) {
    int width = config.hiddenSize();
    if (config.positions() == org.lathe.graphs.config.PositionEncoding.LEARNED) {
      return w("embedding/positions")[t * width + d];
    }
    int half = width / 2;
    if (d >= 2 * half) {
      return 0;
    }
    double frequency = Math.exp(-Math.log(10000) * (d % half) / (half - 1));
    return d < half ? Math.sin(t * frequency) : Math.cos(t * frequency);
  }

  private double[][] attention(String name, double[][] x, int heads) {
    int size = config.headSize();
    double[][] query = linear(name + "/query", x);
    double[][] key = linear(name + "/key", x);
    double[][] value = linear(name + "/value", x);
    double[][] context = new double[x.length][heads * size];
    for (int head = 0; head < heads; head++) {
      for (int t = 0; t < x.length; t++) {
        double[] weight = new double[t + 1];
        double sum = 0;
        for (int j = 0; j <= t; j++) {
          double score = 0;
          for (int h = head * size; h < (head + 1) * size; h++) {
            score += query[t][h] * key[j][h];
          }
          weight[j] = Math.exp(score / Math.sqrt(size));
          sum += weight[j];
        }
        for (int j = 0; j <= t; j++) {
          for (int h = head * size; h < (head + 1) * size; h++) {
            context[t][h] += weight[j] / sum * value[j][h];
          }
        }
      }
    }
    return linear(name + "/output", context);
  }

  private double[][] feedForward(String name, double[][] x) {
    double[][] raised = linear(name + "/up", x);
    for (double[] row : raised) {
      for (int i = 0; i < row.length; i++) {
        row[i] =
            config.activation() == Activation.RELU
                ? Math.max(0, row[i])
                : row[i] / 2 * (1 + erf(row[i] / Math.sqrt(2)));
      }
    }
    return linear(name + "/down", raised);
  }

  private double[][] linear(String name, double[][] x) {
    double[] kernel = w(name + "/kernel");
    double[] bias = w(name + "/bias");
    double[][] y = new double[x.length][bias.length];
    for (int t = 0; t < x.length; t++) {
      for (int o = 0; o < bias.length; o++) {
        y[t][o] = bias[o];
        for (int i = 0; i < x[t].length; i++) {
          y[t][o] += x[t][i] * kernel[i * bias.length + o];
        }
      }
    }
    return y;
  }

  private double[][] norm(String name, double[][] x) {
    double[] gain = w(name + "/gain");
    double[] bias = w(name + "/bias");
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      y[t] = layerNorm(x[t], gain, bias, config.normEpsilon());
    }
    return y;
  }

  /** (x - mean) / sqrt(variance + epsilon) * gain + bias, variance over D (not D - 1). */
  public static double[] layerNorm(double[] x, double[] gain, double[] bias, double epsilon) {
    double mean = 0;
    for (double v : x) {
      mean += v / x.length;
    }
    double variance = 0;
    for (double v : x) {
      variance += (v - mean) * (v - mean) / x.length;
    }
    double[] y = new double[x.length];
    for (int d = 0; d < x.length; d++) {
      y[d] = (x[d] - mean) / Math.sqrt(variance + epsilon) * gain[d] + bias[d];
    }
    return y;
  }

  /** The error function by its Maclaurin series; exact to double precision for |x| below 5. */
  public static double erf(double x) {
    double term = x;
    double sum = x;
    for (int n = 1; n < 200; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }

  private static double[][] add(double[][] a, double[][] b) {
    double[][] sum = new double[a.length][a[0].length];
    for (int t = 0; t < a.length; t++) {
      for (int d = 0; d < a[t].length; d++) {
        sum[t][d] = a[t][d] + b[t][d];
      }
    }
    return sum;
  }

  private double[] w(String name) {
    double[] values = weights.get("decoder/" + name);
    if (values == null) {
      throw new IllegalArgumentException("no weight " + name + " among " + weights.keySet());
    }
    return values;
  }
}
