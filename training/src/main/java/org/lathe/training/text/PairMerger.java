package org.lathe.training.text;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Counts of neighbouring pairs over a bag of words, kept up to date while pairs are merged: each
 * merge touches only the words that hold the pair.
 */
final class PairMerger {
  /** A pair of token ids and how often it stands in the text. */
  record Pair(int left, int right, long count) implements Comparable<Pair> {
    /** Most frequent first, then smallest ids first. */
    @Override
    public int compareTo(Pair other) {
      int byCount = Long.compare(other.count, count);
      return byCount != 0 ? byCount : Long.compare(key(left, right), key(other.left, other.right));
    }
  }

  private static final class Entry {
    long count;
    // words that held the pair once; some may have lost it since, or be listed twice
    int[] words = new int[2];
    int numWords;

    void add(int word) {
      if (numWords > 0 && words[numWords - 1] == word) {
        return;
      }
      if (numWords == words.length) {
        words = Arrays.copyOf(words, 2 * numWords);
      }
      words[numWords++] = word;
    }
  }

  private final int[][] words;
  private final long[] counts;
  private final Map<Long, Entry> pairs = new HashMap<>();
  private final PriorityQueue<Pair> queue = new PriorityQueue<>();

  PairMerger(Map<String, Integer> wordCounts) {
    words = new int[wordCounts.size()][];
    counts = new long[wordCounts.size()];
    int index = 0;
    for (Map.Entry<String, Integer> word : wordCounts.entrySet()) {
      byte[] bytes = word.getKey().getBytes(StandardCharsets.UTF_8);
      words[index] = new int[bytes.length];
      for (int i = 0; i < bytes.length; i++) {
        words[index][i] = bytes[i] & 0xFF;
      }
      counts[index] = word.getValue();
      for (int i = 0; i + 1 < bytes.length; i++) {
        change(key(words[index][i], words[index][i + 1]), index, counts[index]);
      }
      index++;
    }
    pairs.keySet().forEach(this::enqueue);
  }

  /** The most frequent pair; null when none is left. */
  @Nullable Pair best() {
    while (!queue.isEmpty()) {
      Pair top = queue.remove();
      long key = key(top.left, top.right);
      Entry entry = pairs.get(key);
      if (entry != null && entry.count == top.count) {
        return top;
      }
      // counts that fell are corrected only here; counts that rose were queued anew
      if (entry != null && entry.count < top.count) {
        enqueue(key);
      }
    }
    return null;
  }

  /** Replaces the pair by one token, left to right, in every word. */
  void merge(Pair pair, int token) {
    Entry entry = pairs.remove(key(pair.left, pair.right));
    if (entry == null) {
      return;
    }
    Set<Long> risen = new HashSet<>();
    for (int i = 0; i < entry.numWords; i++) {
      mergeInWord(entry.words[i], pair, token, risen);
    }
    pairs.remove(key(pair.left, pair.right));
    risen.forEach(this::enqueue);
  }

  private void mergeInWord(int index, Pair pair, int token, Set<Long> risen) {
    int[] old = words[index];
    int[] merged = new int[old.length];
    int length = 0;
    for (int i = 0; i < old.length; i++) {
      boolean found = i + 1 < old.length && old[i] == pair.left && old[i + 1] == pair.right;
      merged[length++] = found ? token : old[i];
      i += found ? 1 : 0;
    }
    if (length == old.length) {
      return;
    }
    for (int i = 0; i + 1 < old.length; i++) {
      change(key(old[i], old[i + 1]), index, -counts[index]);
    }
    words[index] = Arrays.copyOf(merged, length);
    for (int i = 0; i + 1 < length; i++) {
      long key = key(merged[i], merged[i + 1]);
      change(key, index, counts[index]);
      if (merged[i] == token || merged[i + 1] == token) {
        risen.add(key);
      }
    }
  }

  private void change(long key, int word, long difference) {
    Entry entry = pairs.computeIfAbsent(key, k -> new Entry());
    entry.count += difference;
    if (difference > 0) {
      entry.add(word);
    }
  }

  private void enqueue(long key) {
    Entry entry = pairs.get(key);
    if (entry != null && entry.count > 0) {
      queue.add(new Pair((int) (key >>> Integer.SIZE), (int) key, entry.count));
    }
  }

  private static long key(int left, int right) {
    return (long) left << Integer.SIZE | right;
  }
}
