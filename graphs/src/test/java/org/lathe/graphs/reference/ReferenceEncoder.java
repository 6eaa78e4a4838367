package org.lathe.graphs.reference;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.TransformerConfig;

/**
 * A whole encoder with gates by loops in doubles, one sequence at a time. Follows Devlin et al.
 * 2019 (embeddings, post-norm, pooler) and Xia et al. 2022 (where gates multiply, norms over the
 * open dimensions only, a closed sublayer is an identity without its norm), not the graph code.
 */
public final class ReferenceEncoder {
  /** Values of all gates: [D], [L][N], [L][F], [L], [L]. */
  public record GateArrays(
      double[] hidden,
      double[][] heads,
      double[][] intermediate,
      double[] attention,
      double[] feedForward) {

    public static GateArrays open(TransformerConfig config) {
      int layers = config.numLayers();
      GateArrays gates =
          new GateArrays(
              new double[config.hiddenSize()],
              new double[layers][],
              new double[layers][],
              new double[layers],
              new double[layers]);
      Arrays.fill(gates.hidden, 1);
      Arrays.fill(gates.attention, 1);
      Arrays.fill(gates.feedForward, 1);
      for (int layer = 0; layer < layers; layer++) {
        gates.heads[layer] = new double[config.blocks().get(layer).numHeads()];
        gates.intermediate[layer] = new double[config.blocks().get(layer).intermediateSize()];
        Arrays.fill(gates.heads[layer], 1);
        Arrays.fill(gates.intermediate[layer], 1);
      }
      return gates;
    }
  }

  /** Rows of one sequence: L + 1 states of (T, D), and the pooled first one or nothing. */
  public record Output(List<double[][]> hidden, double[] pooled) {
    public double[][] sequence() {
      return hidden.get(hidden.size() - 1);
    }
  }

  private final EncoderConfig config;
  private final Map<String, double[]> weights;
  private final GateArrays gates;

  public ReferenceEncoder(EncoderConfig config, Map<String, double[]> weights, GateArrays gates) {
    this.config = config;
    this.weights = weights;
    this.gates = gates;
  }

  /** Tokens without padding. */
  public Output call(int[] tokens, int[] types) {
    int width = config.transformer().hiddenSize();
    double[][] x = new double[tokens.length][width];
    for (int t = 0; t < tokens.length; t++) {
      for (int d = 0; d < width; d++) {
        double sum =
            w("encoder/embedding/tokens")[tokens[t] * width + d]
                + w("encoder/embedding/positions")[(t + config.positionOffset()) * width + d];
        if (config.numTokenTypes() > 0) {
          int type = config.numTokenTypes() == 1 ? 0 : types[t];
          sum += w("encoder/embedding/token_types")[type * width + d];
        }
        x[t][d] = sum * gates.hidden[d];
      }
    }
    x = norm("encoder/embedding/norm", x);
    List<double[][]> hidden = new ArrayList<>();
    hidden.add(x);
    for (int layer = 0; layer < config.transformer().numLayers(); layer++) {
      String name = "encoder/layer_" + layer;
      if (config.transformer().blocks().get(layer).numHeads() > 0 && gates.attention[layer] != 0) {
        double[][] attended = scale(attention(name, x, layer), gates.attention[layer]);
        x = norm(name + "/attention_norm", add(attended, x));
      }
      if (config.transformer().blocks().get(layer).intermediateSize() > 0
          && gates.feedForward[layer] != 0) {
        double[][] fed = scale(feedForward(name, x, layer), gates.feedForward[layer]);
        x = norm(name + "/feed_forward_norm", add(fed, x));
      }
      hidden.add(x);
    }
    if (!config.hasPooler()) {
      return new Output(hidden, new double[0]);
    }
    double[] pooled = linear("encoder/pooler", new double[][] {x[0]})[0];
    for (int i = 0; i < pooled.length; i++) {
      pooled[i] = Math.tanh(pooled[i]);
    }
    return new Output(hidden, pooled);
  }

  /** BERT's masked-LM head on rows of the last state. */
  public double[][] maskedLanguageModel(double[][] rows) {
    double[][] active = linear("masked_lm/dense", rows);
    for (double[] row : active) {
      gelu(row);
    }
    double[][] features = norm("masked_lm/norm", active);
    double[] table = w("encoder/embedding/tokens");
    int width = config.transformer().hiddenSize();
    double[][] logits = new double[rows.length][config.transformer().vocabularySize()];
    for (int t = 0; t < rows.length; t++) {
      for (int v = 0; v < logits[t].length; v++) {
        logits[t][v] = w("masked_lm/bias")[v];
        for (int d = 0; d < width; d++) {
          logits[t][v] += features[t][d] * table[v * width + d] * gates.hidden[d];
        }
      }
    }
    return logits;
  }

  private double[][] attention(String name, double[][] x, int layer) {
    int size = config.transformer().headSize();
    double[][] query = linear(name + "/attention/query", x);
    double[][] key = linear(name + "/attention/key", x);
    double[][] value = linear(name + "/attention/value", x);
    double[][] context = new double[x.length][query[0].length];
    for (int head = 0; head < gates.heads[layer].length; head++) {
      for (int t = 0; t < x.length; t++) {
        double[] weight = new double[x.length];
        double sum = 0;
        for (int j = 0; j < x.length; j++) {
          double score = 0;
          for (int h = head * size; h < (head + 1) * size; h++) {
            score += query[t][h] * key[j][h];
          }
          weight[j] = Math.exp(score / Math.sqrt(size));
          sum += weight[j];
        }
        for (int j = 0; j < x.length; j++) {
          for (int h = head * size; h < (head + 1) * size; h++) {
            context[t][h] += weight[j] / sum * value[j][h] * gates.heads[layer][head];
          }
        }
      }
    }
    return linear(name + "/attention/output", context);
  }

  private double[][] feedForward(String name, double[][] x, int layer) {
    double[][] raised = linear(name + "/feed_forward/up", x);
    for (double[] row : raised) {
      gelu(row);
      for (int i = 0; i < row.length; i++) {
        row[i] *= gates.intermediate[layer][i];
      }
    }
    return linear(name + "/feed_forward/down", raised);
  }

  private static void gelu(double[] row) {
    for (int i = 0; i < row.length; i++) {
      row[i] = row[i] / 2 * (1 + ReferenceDecoder.erf(row[i] / Math.sqrt(2)));
    }
  }

  /** Over the open dimensions only, times their gates; 0 elsewhere. */
  private double[][] norm(String name, double[][] x) {
    int[] open = IntStream.range(0, x[0].length).filter(this::open).toArray();
    double[] gain = pick(w(name + "/gain"), open);
    double[] bias = pick(w(name + "/bias"), open);
    double[][] y = new double[x.length][x[0].length];
    for (int t = 0; t < x.length; t++) {
      double[] normed =
          ReferenceDecoder.layerNorm(
              pick(x[t], open), gain, bias, config.transformer().normEpsilon());
      for (int i = 0; i < open.length; i++) {
        y[t][open[i]] = normed[i] * gates.hidden[open[i]];
      }
    }
    return y;
  }

  private boolean open(int dimension) {
    return gates.hidden[dimension] != 0;
  }

  private static double[] pick(double[] values, int[] indices) {
    return Arrays.stream(indices).mapToDouble(i -> values[i]).toArray();
  }

  /** A sublayer's output times its layer gate and the hidden gate. */
  private double[][] scale(double[][] x, double layerGate) {
    for (double[] row : x) {
      for (int d = 0; d < row.length; d++) {
        row[d] *= layerGate * gates.hidden[d];
      }
    }
    return x;
  }

  /** x W + b by the weights of this name. */
  public double[][] linear(String name, double[][] x) {
    double[] bias = w(name + "/bias");
    double[][] y = ReferenceDecoder.project(x, w(name + "/kernel"), bias.length);
    for (double[] row : y) {
      for (int i = 0; i < row.length; i++) {
        row[i] += bias[i];
      }
    }
    return y;
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
    double[] values = weights.get(name);
    if (values == null) {
      throw new IllegalArgumentException("no weight " + name + " among " + weights.keySet());
    }
    return values;
  }
}
