package org.lathe.graphs.reference;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.lathe.graphs.config.CompressionConfig;
import org.lathe.graphs.config.RecurrenceConfig;
import org.lathe.graphs.config.TransformerConfig;

/**
 * Transformer-XL and Compressive Transformer by loops in doubles, one row of text at a time. Memory
 * is lists that grow: nothing is padded, masked or shifted. Follows Dai et al. 2019 (section 3.3)
 * and Rae et al. 2020 (algorithms 1 and 2), not the graph code.
 */
public final class ReferenceRecurrent {
  /** Rows of one segment, and the reconstruction loss of the states that left the memory. */
  public record Output(
      double[][] hidden, double[][] tap, double[][] output, double[][] logits, double loss) {}

  private final TransformerConfig config;
  private final RecurrenceConfig recurrence;
  private final Map<String, double[]> weights;
  private final List<List<double[]>> recent = new ArrayList<>();
  private final List<List<double[]>> compressed = new ArrayList<>();

  public ReferenceRecurrent(
      TransformerConfig config, RecurrenceConfig recurrence, Map<String, double[]> weights) {
    this.config = config;
    this.recurrence = recurrence;
    this.weights = weights;
    for (int layer = 0; layer < config.numLayers(); layer++) {
      recent.add(new ArrayList<>());
      compressed.add(new ArrayList<>());
    }
  }

  public Output step(int[] tokens) {
    int width = config.hiddenSize();
    double[][] x = new double[tokens.length][width];
    for (int t = 0; t < tokens.length; t++) {
      for (int d = 0; d < width; d++) {
        x[t][d] = w("embedding/tokens")[tokens[t] * width + d] * config.embeddingScale();
      }
    }
    double[][] tap = x;
    double loss = 0;
    for (int layer = 0; layer < config.numLayers(); layer++) {
      String name = "layer_" + layer;
      List<double[]> context = new ArrayList<>(compressed.get(layer));
      context.addAll(recent.get(layer));
      context.addAll(List.of(x));
      double[] usage = new double[context.size()];
      double[][] attended = attention(name, x, context, usage);
      loss += remember(layer, x, usage);
      double[][] middle = add(x, attended);
      tap = norm(name + "/feed_forward_norm", middle);
      double[][] raised = linear(name + "/feed_forward/up", tap);
      for (double[] row : raised) {
        for (int i = 0; i < row.length; i++) {
          row[i] = Math.max(0, row[i]);
        }
      }
      x = add(middle, linear(name + "/feed_forward/down", raised));
    }
    double[][] output = norm("final_norm", x);
    double[][] logits = new double[tokens.length][config.vocabularySize()];
    for (int t = 0; t < tokens.length; t++) {
      for (int v = 0; v < config.vocabularySize(); v++) {
        for (int d = 0; d < width; d++) {
          logits[t][v] += output[t][d] * w("embedding/tokens")[v * width + d];
        }
      }
    }
    return new Output(x, tap, output, logits, loss);
  }

  private double[][] attention(String name, double[][] x, List<double[]> context, double[] usage) {
    int heads = config.blocks().get(0).numHeads();
    int size = config.headSize();
    String attention = name + "/attention";
    double[][] normed = norm(name + "/attention_norm", context.toArray(new double[0][]));
    double[][] key = linear(attention + "/key", normed);
    double[][] value = linear(attention + "/value", normed);
    double[][] query = linear(attention + "/query", norm(name + "/attention_norm", x));
    double[][] distances = new double[context.size()][];
    for (int i = 0; i < distances.length; i++) {
      distances[i] = encoded(i);
    }
    double[][] position = linear(attention + "/position", distances);
    int past = context.size() - x.length;
    double[][] result = new double[x.length][heads * size];
    for (int head = 0; head < heads; head++) {
      for (int t = 0; t < x.length; t++) {
        double[] weight = new double[past + t + 1];
        for (int j = 0; j < weight.length; j++) {
          double score = 0;
          for (int h = head * size; h < (head + 1) * size; h++) {
            score += (query[t][h] + w("relative/content_bias")[h]) * key[j][h];
            score += (query[t][h] + w("relative/position_bias")[h]) * position[past + t - j][h];
          }
          weight[j] = score / Math.sqrt(size);
        }
        softmax(weight);
        for (int j = 0; j < weight.length; j++) {
          usage[j] += weight[j] / heads / x.length;
          for (int h = head * size; h < (head + 1) * size; h++) {
            result[t][h] += weight[j] * value[j][h];
          }
        }
      }
    }
    return linear(attention + "/output", result);
  }

  /** sines of i w_k, then cosines, w_k = 10000^(-k / (D/2 - 1)); beyond the clamp all alike. */
  private double[] encoded(int distance) {
    int half = config.hiddenSize() / 2;
    int limit = recurrence.clampLength() == 0 ? Integer.MAX_VALUE : recurrence.clampLength();
    double[] row = new double[config.hiddenSize()];
    for (int k = 0; k < half; k++) {
      double angle = Math.min(distance, limit) / Math.exp(Math.log(10000) * k / (half - 1));
      row[k] = Math.sin(angle);
      row[half + k] = Math.cos(angle);
    }
    return row;
  }

  /** Takes the segment up; gives the reconstruction loss of what had to leave. */
  private double remember(int layer, double[][] x, double[] usage) {
    List<double[]> list = recent.get(layer);
    int numCompressed = compressed.get(layer).size();
    int missing = Math.max(0, recurrence.memoryLength() - list.size());
    list.addAll(List.of(x));
    int numLeaving = Math.max(0, x.length - missing);
    List<double[]> leaving = new ArrayList<>(list.subList(0, numLeaving));
    list.subList(0, numLeaving).clear();
    if (!recurrence.compression().present() || leaving.isEmpty()) {
      return 0;
    }
    int rate = recurrence.compression().rate();
    List<double[]> slots = new ArrayList<>();
    if (recurrence.compression().kind() == CompressionConfig.Kind.MOST_USED) {
      IntStream.range(0, numLeaving)
          .boxed()
          .sorted(Comparator.comparing((Integer i) -> -usage[numCompressed + i]))
          .limit(x.length / rate)
          .sorted()
          .forEach(i -> slots.add(leaving.get(i)));
    } else {
      // groups are cut from the end of T positions, of which the first may be missing
      for (int begin = numLeaving % rate; begin < numLeaving; begin += rate) {
        slots.add(slot(layer, leaving.subList(begin, begin + rate)));
      }
    }
    double loss = slots.isEmpty() ? 0 : reconstruction(layer, x, leaving, slots);
    List<double[]> old = compressed.get(layer);
    old.addAll(slots);
    while (old.size() > recurrence.compression().length()) {
      old.remove(0);
    }
    return loss;
  }

  private double[] slot(int layer, List<double[]> states) {
    int width = config.hiddenSize();
    double[] slot = new double[width];
    for (int d = 0; d < width; d++) {
      switch (recurrence.compression().kind()) {
        case MEAN_POOLING -> {
          for (double[] state : states) {
            slot[d] += state[d] / states.size();
          }
        }
        case MAX_POOLING -> {
          slot[d] = Double.NEGATIVE_INFINITY;
          for (double[] state : states) {
            slot[d] = Math.max(slot[d], state[d]);
          }
        }
        case CONVOLUTION -> {
          slot[d] = w("layer_" + layer + "/compression/bias")[d];
          for (int i = 0; i < states.size(); i++) {
            for (int e = 0; e < width; e++) {
              slot[d] +=
                  states.get(i)[e]
                      * w("layer_" + layer + "/compression/kernel")[(i * width + e) * width + d];
            }
          }
        }
        default -> throw new IllegalStateException();
      }
    }
    return slot;
  }

  private double reconstruction(
      int layer, double[][] x, List<double[]> states, List<double[]> slots) {
    double[][] fromStates = readByContent(layer, x, states);
    double[][] fromSlots = readByContent(layer, x, slots);
    double sum = 0;
    for (int t = 0; t < x.length; t++) {
      for (int h = 0; h < fromStates[t].length; h++) {
        sum += Math.pow(fromStates[t][h] - fromSlots[t][h], 2);
      }
    }
    return sum / x.length / fromStates[0].length;
  }

  private double[][] readByContent(int layer, double[][] x, List<double[]> states) {
    String norm = "layer_" + layer + "/attention_norm";
    String attention = "layer_" + layer + "/attention";
    int size = config.headSize();
    double[][] query = linear(attention + "/query", norm(norm, x));
    double[][] normed = norm(norm, states.toArray(new double[0][]));
    double[][] key = linear(attention + "/key", normed);
    double[][] value = linear(attention + "/value", normed);
    double[][] result = new double[x.length][query[0].length];
    for (int begin = 0; begin < query[0].length; begin += size) {
      for (int t = 0; t < x.length; t++) {
        double[] weight = new double[key.length];
        for (int j = 0; j < key.length; j++) {
          for (int h = begin; h < begin + size; h++) {
            weight[j] +=
                (query[t][h] + w("relative/content_bias")[h]) * key[j][h] / Math.sqrt(size);
          }
        }
        softmax(weight);
        for (int j = 0; j < key.length; j++) {
          for (int h = begin; h < begin + size; h++) {
            result[t][h] += weight[j] * value[j][h];
          }
        }
      }
    }
    return result;
  }

  private static void softmax(double[] scores) {
    double sum = 0;
    for (int j = 0; j < scores.length; j++) {
      scores[j] = Math.exp(scores[j]);
      sum += scores[j];
    }
    for (int j = 0; j < scores.length; j++) {
      scores[j] /= sum;
    }
  }

  private double[][] linear(String name, double[][] x) {
    double[] kernel = w(name + "/kernel");
    double[] bias = weights.get("decoder/" + name + "/bias");
    int outputs = kernel.length / x[0].length;
    double[][] y = new double[x.length][outputs];
    for (int t = 0; t < x.length; t++) {
      for (int o = 0; o < outputs; o++) {
        y[t][o] = bias == null ? 0 : bias[o];
        for (int i = 0; i < x[t].length; i++) {
          y[t][o] += x[t][i] * kernel[i * outputs + o];
        }
      }
    }
    return y;
  }

  private double[][] norm(String name, double[][] x) {
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      y[t] =
          ReferenceDecoder.layerNorm(
              x[t], w(name + "/gain"), w(name + "/bias"), config.normEpsilon());
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
    double[] values = weights.get("decoder/" + name);
    if (values == null) {
      throw new IllegalArgumentException("no weight " + name + " among " + weights.keySet());
    }
    return values;
  }
}
