package org.lathe.training.evaluation;

import java.util.Arrays;
import java.util.List;
import org.lathe.training.data.ProgressListener;
import org.lathe.training.datastore.ExactSearch;
import org.lathe.training.datastore.KeyStore;
import org.lathe.training.datastore.NeighborSearch;
import org.lathe.training.memory.MemoryMass;
import org.lathe.training.memory.Mixing;
import org.lathe.training.memory.MixingTuner;

/**
 * kNN-LM (Khandelwal et al. 2020): the K nearest keys of a datastore of the training text, softmax
 * of their scores, interpolated with the vocabulary.
 */
public final class NeighborEvaluation {
  private static final int POSITIONS_PER_SEARCH = 2_048;

  private final ScoredText text;
  private final NeighborSearch.Neighbors neighbors;
  private final int[] values;

  /** Searches the neighbours of a text's positions once; tuning and scoring reuse them. */
  public NeighborEvaluation(
      ScoredText text,
      KeyStore store,
      ExactSearch search,
      double scoreScale,
      ProgressListener progress) {
    this.text = text;
    KeyStore queries = KeyStore.of(text);
    int numPositions = text.numPositions();
    int numNeighbors = 0;
    float[] scores = new float[0];
    int[] items = new int[0];
    for (int begin = 0; begin < numPositions; begin += POSITIONS_PER_SEARCH) {
      int end = Math.min(numPositions, begin + POSITIONS_PER_SEARCH);
      NeighborSearch.Neighbors found =
          search.search(
              Arrays.copyOfRange(queries.keys(), begin * text.width(), end * text.width()));
      if (begin == 0) {
        numNeighbors = found.numNeighbors();
        scores = new float[numPositions * numNeighbors];
        items = new int[numPositions * numNeighbors];
      }
      System.arraycopy(found.scores(), 0, scores, begin * numNeighbors, found.scores().length);
      System.arraycopy(found.items(), 0, items, begin * numNeighbors, found.items().length);
      progress.progress("searching neighbours", end, numPositions);
    }
    values = new int[items.length];
    for (int i = 0; i < items.length; i++) {
      scores[i] *= (float) scoreScale;
      values[i] = store.values()[items[i]];
    }
    neighbors = new NeighborSearch.Neighbors(numNeighbors, scores, items);
  }

  /** Share of positions whose right next token is among the first k neighbours. */
  public double recall(int k) {
    int hits = 0;
    int numNeighbors = neighbors.numNeighbors();
    for (int i = 0; i < text.numPositions(); i++) {
      for (int j = 0; j < Math.min(k, numNeighbors); j++) {
        if (values[i * numNeighbors + j] == text.targets()[i]) {
          hits++;
          break;
        }
      }
    }
    return (double) hits / text.numPositions();
  }

  /** Perplexity per token. */
  public double perplexity(Mixing mixing) {
    double sum = 0;
    for (int i = 0; i < text.numPositions(); i++) {
      MemoryMass mass =
          MemoryMass.of(
              neighbors.scores(),
              values,
              i * neighbors.numNeighbors(),
              (i + 1) * neighbors.numNeighbors(),
              text.targets()[i],
              mixing.temperature());
      sum -= mixing.logProbability(text.vocabularyMass()[i], text.targetLogits()[i], mass);
    }
    return Math.exp(sum / text.numPositions());
  }

  /** The candidate with the lowest perplexity on this text. */
  public Mixing tune(List<Mixing> candidates) {
    MixingTuner tuner = new MixingTuner(candidates);
    int numNeighbors = neighbors.numNeighbors();
    for (int i = 0; i < text.numPositions(); i++) {
      int begin = i * numNeighbors;
      tuner.add(
          text.vocabularyMass()[i],
          text.targetLogits()[i],
          Arrays.copyOfRange(neighbors.scores(), begin, begin + numNeighbors),
          Arrays.copyOfRange(values, begin, begin + numNeighbors),
          numNeighbors,
          text.targets()[i]);
    }
    return tuner.best();
  }
}
