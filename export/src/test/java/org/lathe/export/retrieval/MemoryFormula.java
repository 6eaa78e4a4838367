package org.lathe.export.retrieval;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.lathe.training.datastore.IvfIndex;
import org.lathe.training.datastore.NeighborSearch.Metric;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.Mixing;

/** Retrieval and mixing as the papers write them, with probabilities in double precision. */
final class MemoryFormula {
  private final RetrievalPlan plan;
  private final double scale;

  /**
   * @param probabilities of every word
   * @param shares of the items, best first
   */
  record Expected(double[] probabilities, double memoryShare, List<Item> items, double[] shares) {}

  /** An item with s. */
  record Item(int number, int word, double score) {}

  MemoryFormula(RetrievalPlan plan, double scale) {
    this.plan = plan;
    this.scale = scale;
  }

  Expected next(int[] prompt, float[] logits, float[] taps) {
    int width = plan.memory().index().width();
    int last = prompt.length - 1;
    double[] query = row(taps, last, width);
    List<Item> local = new ArrayList<>();
    for (int j = 0; j < last; j++) {
      local.add(new Item(j, prompt[j + 1], scale * dot(query, row(taps, j, width))));
    }
    List<Item> found = nearest(query);
    MemoryMixing mixing = plan.mixing();
    double tau = mixing.recent().temperature();
    double[] first = new double[logits.length];
    double memory = 0;
    double[] shares = new double[found.size()];
    if (mixing.recent().form() == Mixing.Form.SHARED) {
      double total = 0;
      for (int w = 0; w < logits.length; w++) {
        first[w] = Math.exp(logits[w]);
        total += first[w];
      }
      for (Item item : local) {
        double mass = Math.exp(item.score() / tau);
        first[item.word()] += mass;
        total += mass;
        memory += mass;
      }
      for (int k = 0; mixing.external().shared() && k < found.size(); k++) {
        shares[k] = Math.exp(found.get(k).score() / tau);
        first[found.get(k).word()] += shares[k];
        total += shares[k];
        memory += shares[k];
      }
      divide(first, total);
      divide(shares, total);
      memory /= total;
    } else {
      double[] masses = new double[logits.length];
      for (int w = 0; w < logits.length; w++) {
        masses[w] = Math.exp(logits[w]);
      }
      double weight = local.isEmpty() ? 0 : mixing.recent().interpolation();
      double[] own = softmax(local, tau);
      double total = sum(masses);
      for (int w = 0; w < logits.length; w++) {
        first[w] = (1 - weight) * masses[w] / total;
      }
      for (int j = 0; j < local.size(); j++) {
        first[local.get(j).word()] += weight * own[j];
      }
      memory = weight;
    }
    double lambda = found.isEmpty() ? 0 : mixing.external().interpolation().constantWeight();
    double[] own = softmax(found, mixing.external().temperature());
    for (int w = 0; w < first.length; w++) {
      first[w] *= 1 - lambda;
    }
    for (int k = 0; k < found.size(); k++) {
      first[found.get(k).word()] += lambda * own[k];
      shares[k] = (1 - lambda) * shares[k] + lambda * own[k];
    }
    return new Expected(first, lambda + (1 - lambda) * memory, found, shares);
  }

  /** The K best of the items in the lists whose centroids are nearest. */
  private List<Item> nearest(double[] query) {
    IvfIndex index = plan.memory().index();
    List<Item> lists = new ArrayList<>();
    for (int list = 0; list < index.numLists(); list++) {
      lists.add(new Item(list, 0, near(query, row(index.centroids(), list, query.length))));
    }
    List<Item> items = new ArrayList<>();
    for (Item list : best(lists, plan.probes())) {
      for (int i = 0; i < index.items()[list.number()].length; i++) {
        int item = index.items()[list.number()][i];
        double score = scale * near(query, key(list.number(), i));
        items.add(new Item(item, plan.memory().values()[item], score));
      }
    }
    return best(items, plan.neighbors());
  }

  private static List<Item> best(List<Item> items, int number) {
    return items.stream()
        .sorted(Comparator.comparingDouble(Item::score).reversed().thenComparing(Item::number))
        .limit(number)
        .toList();
  }

  /** q . k or -|q - k|^2 / 2. */
  private double near(double[] query, double[] key) {
    if (plan.memory().index().metric() == Metric.INNER_PRODUCT) {
      return dot(query, key);
    }
    double sum = 0;
    for (int d = 0; d < key.length; d++) {
      sum += (query[d] - key[d]) * (query[d] - key[d]);
    }
    return -sum / 2;
  }

  private double[] key(int list, int i) {
    IvfIndex index = plan.memory().index();
    int width = index.width();
    double[] key = new double[width];
    ByteBuffer codes = ByteBuffer.wrap(index.codes()[list]).order(ByteOrder.LITTLE_ENDIAN);
    int subWidth = index.code().numSubvectors() == 0 ? 0 : width / index.code().numSubvectors();
    for (int d = 0; d < width; d++) {
      double centroid = index.centroids()[list * width + d];
      key[d] =
          switch (index.code().encoding()) {
            case FLOAT32 -> codes.getFloat((i * width + d) * Float.BYTES);
            case FLOAT16 -> half(codes.getShort((i * width + d) * Short.BYTES));
            case INT8 ->
                centroid
                    + index.code().offsets()[d]
                    + index.code().scales()[d] * (codes.get(i * width + d) & 255);
            case PRODUCT -> {
              int part = d / subWidth;
              int word = codes.get(i * index.code().numSubvectors() + part) & 255;
              yield centroid
                  + index.code().codewords()[(part * 256 + word) * subWidth + d % subWidth];
            }
          };
    }
    return key;
  }

  private static double half(short bits) {
    int exponent = bits >> 10 & 31;
    double mantissa = (bits & 1023) / 1024.0;
    double magnitude =
        exponent == 0 ? mantissa * 0x1p-14 : (1 + mantissa) * Math.scalb(1.0, exponent - 15);
    return bits < 0 ? -magnitude : magnitude;
  }

  private static double[] softmax(List<Item> items, double temperature) {
    double max = items.stream().mapToDouble(Item::score).max().orElse(0);
    double[] masses =
        items.stream().mapToDouble(i -> Math.exp((i.score() - max) / temperature)).toArray();
    divide(masses, sum(masses));
    return masses;
  }

  private static double sum(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum;
  }

  private static void divide(double[] values, double by) {
    for (int i = 0; i < values.length; i++) {
      values[i] /= by;
    }
  }

  private static double[] row(float[] values, int row, int width) {
    double[] result = new double[width];
    for (int d = 0; d < width; d++) {
      result[d] = values[row * width + d];
    }
    return result;
  }

  private static double dot(double[] first, double[] second) {
    double sum = 0;
    for (int d = 0; d < first.length; d++) {
      sum += first[d] * second[d];
    }
    return sum;
  }
}
