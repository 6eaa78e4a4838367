package org.lathe.cli.report;

/**
 * What one layer kept; a sublayer with nothing kept is absent.
 *
 * @param headsKept one entry per head of the unpruned layer
 * @param intermediateKept one entry per feed-forward unit of the unpruned layer
 */
public record LayerStructure(boolean[] headsKept, boolean[] intermediateKept) {
  int numHeadsKept() {
    return count(headsKept);
  }

  int numIntermediateKept() {
    return count(intermediateKept);
  }

  private static int count(boolean[] kept) {
    int count = 0;
    for (boolean one : kept) {
      count += one ? 1 : 0;
    }
    return count;
  }
}
