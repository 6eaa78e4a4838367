package org.lathe.export.retrieval;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.lathe.export.verification.GraphReference;
import org.lathe.export.verification.ReferenceScorer;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.datastore.IvfSearch;
import org.lathe.training.datastore.NeighborSearch;
import org.lathe.training.memory.MemoryMass;
import org.lathe.training.memory.MemoryMixing;

/**
 * The next token with an external memory as an evaluation computes it: the model as training builds
 * it, the batch search over the same index, and {@link MemoryMixing} in double precision.
 */
public final class RetrievalReference implements ReferenceScorer {
  /** Two scores that are nearer to each other, relative to their size, may change places. */
  private static final double CLEAR = 1e-5;

  private final GraphReference model;
  private final IvfSearch search;
  private final RetrievalPlan plan;
  private final double scoreScale;
  private final int width;

  /** Items that a position may see, in units of s. */
  private record Items(float[] scores, int[] values) {
    MemoryMass mass(int target, double temperature) {
      return MemoryMass.of(scores, values, 0, scores.length, target, temperature);
    }
  }

  public RetrievalReference(
      TransformerConfig config, MemoryConfig memory, Weights weights, RetrievalPlan plan) {
    this.plan = plan;
    this.scoreScale = memory.scoreScale();
    this.width = config.tapWidth();
    this.search = new IvfSearch(plan.memory().index(), plan.probes(), plan.neighbors() + 1, 0);
    try {
      // its own temperature is not used: only logits and taps are asked
      this.model = new GraphReference(config, memory, weights, 1);
    } catch (RuntimeException e) {
      search.close();
      throw e;
    }
  }

  @Override
  public float[][] nextLogProbabilities(int[][] prompts) {
    float[][] result = new float[prompts.length][];
    for (int i = 0; i < prompts.length; i++) {
      result[i] = nextLogProbabilities(prompts[i]);
    }
    return result;
  }

  private float[] nextLogProbabilities(int[] prompt) {
    GraphReference.Encoded encoded = model.encode(prompt);
    Items local = local(prompt, encoded.taps());
    Items found = found(prompt, encoded.taps());
    double vocabularyMass = logSum(encoded.logits());
    // a word that no item stands for has no matching mass, whichever it is
    MemoryMixing.Masses without = masses(local, found, -1);
    float[] result = new float[encoded.logits().length];
    for (int w = 0; w < result.length; w++) {
      result[w] =
          (float) plan.mixing().logProbability(vocabularyMass, encoded.logits()[w], without);
    }
    IntStream.concat(Arrays.stream(local.values()), Arrays.stream(found.values()))
        .distinct()
        .forEach(
            w ->
                result[w] =
                    (float)
                        plan.mixing()
                            .logProbability(
                                vocabularyMass, encoded.logits()[w], masses(local, found, w)));
    return result;
  }

  private MemoryMixing.Masses masses(Items local, Items found, int word) {
    MemoryMixing mixing = plan.mixing();
    return new MemoryMixing.Masses(
        local.mass(word, mixing.recent().temperature()),
        mixing.external().shared()
            ? found.mass(word, mixing.recent().temperature())
            : MemoryMass.EMPTY,
        found.mass(word, mixing.external().temperature()));
  }

  private Items local(int[] prompt, float[] taps) {
    int last = plan.usesLocal() ? prompt.length - 1 : 0;
    float[] scores = new float[last];
    for (int j = 0; j < last; j++) {
      double sum = 0;
      for (int d = 0; d < width; d++) {
        sum += (double) taps[(prompt.length - 1) * width + d] * taps[j * width + d];
      }
      scores[j] = (float) (scoreScale * sum);
    }
    return new Items(scores, Arrays.copyOfRange(prompt, 1, 1 + last));
  }

  private Items found(int[] prompt, float[] taps) {
    float[] query = query(prompt, taps);
    NeighborSearch.Neighbors neighbors = search.search(query);
    double shift = 0;
    if (plan.memory().index().metric() == NeighborSearch.Metric.SQUARED_L2) {
      for (float value : query) {
        shift -= (double) value * value / 2;
      }
    }
    int number = 0;
    while (number < plan.neighbors() && neighbors.scores()[number] > Float.NEGATIVE_INFINITY) {
      number++;
    }
    float[] scores = new float[number];
    int[] values = new int[number];
    for (int k = 0; k < number; k++) {
      scores[k] = (float) ((neighbors.scores()[k] + shift) * scoreScale);
      values[k] = plan.memory().values()[neighbors.items()[k]];
    }
    return new Items(scores, values);
  }

  private float[] query(int[] prompt, float[] taps) {
    return Arrays.copyOfRange(taps, (prompt.length - 1) * width, prompt.length * width);
  }

  /**
   * Whether the K-th and the next item are so far apart that rounding cannot exchange them. Where
   * texts in the store begin alike many keys are equal, and two right searches may keep others.
   */
  public boolean isClear(int[] prompt) {
    NeighborSearch.Neighbors found = search.search(query(prompt, model.encode(prompt).taps()));
    int numNeighbors = plan.neighbors();
    if (found.numNeighbors() <= numNeighbors) {
      return true;
    }
    double last = found.scores()[numNeighbors - 1];
    double next = found.scores()[numNeighbors];
    return next == Double.NEGATIVE_INFINITY || last - next > CLEAR * (1 + Math.abs(last));
  }

  private static double logSum(float[] logits) {
    double mass = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      mass = MemoryMass.logAdd(mass, logit);
    }
    return mass;
  }

  @Override
  public void close() {
    search.close();
    model.close();
  }
}
