package org.lathe.cli.config;

import java.util.Collection;

/** Guesses what a mistyped word was meant to be. */
public final class Suggestions {
  private Suggestions() {}

  /**
   * "; did you mean 'hiddenSize'?" when one of the known words is near, else the list of them.
   *
   * @param word as typed
   * @param known what would have been right
   * @param knownTitle what to call the list, for instance "known keys"
   */
  public static String didYouMean(String word, Collection<String> known, String knownTitle) {
    String nearest = "";
    int nearestDistance = Integer.MAX_VALUE;
    for (String candidate : known) {
      int distance = editDistance(word, candidate);
      if (distance < nearestDistance) {
        nearestDistance = distance;
        nearest = candidate;
      }
    }
    if (nearestDistance <= Math.max(2, word.length() / 3)) {
      return "; did you mean '" + nearest + "'?";
    }
    return "; " + knownTitle + ": " + String.join(", ", known);
  }

  /**
   * Levenshtein: insertions, deletions and replacements; editDistance("hiddenSze", "hiddenSize") =
   * 1.
   */
  static int editDistance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
