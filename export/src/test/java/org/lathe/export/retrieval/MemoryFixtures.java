package org.lathe.export.retrieval;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.lathe.export.ExportFixtures;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.retrieval.KeyEncoding;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.datastore.Datastore;
import org.lathe.training.datastore.DatastoreBuilder;
import org.lathe.training.datastore.IvfIndex;
import org.lathe.training.datastore.IvfSettings;
import org.lathe.training.datastore.KeyCode;
import org.lathe.training.datastore.ModelEncoder;
import org.lathe.training.datastore.NeighborSearch.Metric;
import org.lathe.training.datastore.SourceText;
import org.lathe.training.datastore.StoreIdentity;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.weights.ModelFingerprint;

/** A small store of a small model, and indexes of it. */
final class MemoryFixtures {
  static final int NUM_DOCUMENTS = 30;

  private MemoryFixtures() {}

  /**
   * Documents d0, d1, ... of 5 to 14 tokens; each begins with another word, so no keys are equal.
   */
  static void build(Path directory, TransformerConfig config, Weights weights, double scoreScale) {
    Random random = new Random(4);
    List<String> names = new ArrayList<>();
    List<int[]> documents = new ArrayList<>();
    for (int i = 0; i < NUM_DOCUMENTS; i++) {
      names.add("document-" + i + "-end");
      int[] tokens = random.ints(5 + i % 10, 0, ExportFixtures.VOCABULARY).toArray();
      tokens[0] = i;
      documents.add(tokens);
    }
    StoreIdentity identity =
        new StoreIdentity(
            config.hiddenSize(),
            Metric.INNER_PRODUCT,
            scoreScale,
            config.vocabularySize(),
            16,
            8,
            true,
            ModelFingerprint.of(config, weights),
            "b".repeat(64));
    try (ModelEncoder encoder = new ModelEncoder(config, weights, "the fixture", 1)) {
      DatastoreBuilder.forNew(LocalStorage.INSTANCE, directory, identity)
          .run(
              SourceText.of("text", names, documents),
              encoder,
              (what, done, total) -> {},
              () -> false);
    }
  }

  static IvfIndex index(Datastore store, Metric metric, KeyEncoding encoding, int numLists) {
    return IvfIndex.build(
        store.keys(0, store.numItems()),
        store.width(),
        metric,
        new IvfSettings(numLists, 5, 64, encoding, 4, 1),
        1);
  }

  /** Lists of these items, whose keys are stored as they are. */
  static IvfIndex index(Datastore store, Metric metric, float[] centroids, int[][] items) {
    byte[][] codes = new byte[items.length][];
    for (int list = 0; list < items.length; list++) {
      ByteBuffer bytes =
          ByteBuffer.allocate(items[list].length * store.width() * Float.BYTES)
              .order(ByteOrder.LITTLE_ENDIAN);
      for (int item : items[list]) {
        for (float value : store.keys(item, 1)) {
          bytes.putFloat(value);
        }
      }
      codes[list] = bytes.array();
    }
    float[] none = {};
    return new IvfIndex(
        metric,
        store.width(),
        new KeyCode(KeyEncoding.FLOAT32, store.width(), none, none, none, 0),
        centroids,
        items,
        codes);
  }
}
