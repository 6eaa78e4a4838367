package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.lathe.training.datastore.ExactSearch;
import org.lathe.training.datastore.NeighborSearch.Metric;
import org.lathe.training.datastore.NeighborSearch.Neighbors;

/** The graph that the inverted file is measured against. */
class GraphSearchTest {
  private static final int WIDTH = 12;
  private static final int NUM_KEYS = 1500;
  private static final int NUM_QUERIES = 100;
  private static final int NEIGHBORS = 5;

  /** Broad search finds nearly all, narrow search fewer; scores are those of the exact search. */
  @Test
  void findsWhatTheExactSearchFinds() {
    SyntheticKeys synthetic = new SyntheticKeys(WIDTH, 1);
    float[] keys = synthetic.draw(NUM_KEYS, 2);
    float[] queries = synthetic.draw(NUM_QUERIES, 3);
    List<Long> progress = new ArrayList<>();
    try (ExactSearch exact = new ExactSearch(keys, WIDTH, NEIGHBORS, Metric.SQUARED_L2, 1);
        KeyGraph graph = KeyGraph.build(keys, WIDTH, 2, (what, done, total) -> progress.add(done));
        GraphSearch broad = new GraphSearch(graph, NEIGHBORS, 20 * NEIGHBORS, 2);
        GraphSearch narrow = new GraphSearch(graph, NEIGHBORS, NEIGHBORS, 1)) {
      Neighbors expected = exact.search(queries);
      Neighbors found = broad.search(queries);
      assertThat(found.recall(expected)).isGreaterThan(0.99);
      assertThat(narrow.search(queries).recall(expected))
          .isBetween(0.3, found.recall(expected) - 0.001);
      int same = 0;
      for (int i = 0; i < found.items().length; i++) {
        if (found.items()[i] == expected.items()[i]) {
          same++;
          assertThat(found.scores()[i]).isCloseTo(expected.scores()[i], within(1e-3f));
        }
      }
      assertThat(same).isGreaterThan(NUM_QUERIES * NEIGHBORS * 9 / 10);
      assertThat(graph.numBytes()).isGreaterThan(4L * keys.length + 4L * NUM_KEYS);
      assertThat(broad.numKeys()).isEqualTo(NUM_KEYS);
      assertThat(broad.width()).isEqualTo(WIDTH);
      assertThatThrownBy(() -> new GraphSearch(graph, NEIGHBORS, 4, 1))
          .hasMessageContaining("breadth (4)");
    }
    assertThat(progress.get(progress.size() - 1)).isEqualTo(NUM_KEYS);
  }
}
