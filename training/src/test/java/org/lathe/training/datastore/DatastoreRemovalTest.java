package org.lathe.training.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.primitives.Bytes;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.testdata.SeededCases;
import org.lathe.training.files.FaultyStorage;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;

class DatastoreRemovalTest {
  private static final int NEIGHBORS = 7;
  private static final int NUM_QUERIES = 12;

  @TempDir Path root;
  private final Storage disk = new FaultyStorage(LocalStorage.INSTANCE);

  @Test
  void addedAndRemovedIsAsNeverAdded() {
    SeededCases.run(
        6,
        random -> {
          SourceText first = Stores.text("first", random, lengths(random));
          SourceText second = Stores.text("second", random, lengths(random));
          SourceText third = Stores.text("third", random, lengths(random));
          Path without = root.resolve("without-" + System.nanoTime());
          Stores.build(disk, without, first);
          Stores.add(disk, without, third);
          Path with = root.resolve("with-" + System.nanoTime());
          Stores.build(disk, with, first);
          Stores.add(disk, with, second);
          Stores.add(disk, with, third);

          DatastoreEditor editor = new DatastoreEditor(disk, with);
          DatastoreEditor.Removal planned = editor.remove(DocumentPattern.glob("second-*"), true);
          assertThat(planned.names()).hasSize(second.numDocuments());
          assertThat(numItems(with)).isNotEqualTo(numItems(without));
          assertThat(editor.remove(DocumentPattern.glob("second-*"), false)).isEqualTo(planned);
          float[] queries = queries(random);
          List<String> expected = search(without, queries);
          assertThat(search(with, queries)).isEqualTo(expected);

          DatastoreEditor.Compaction compaction = editor.compact((what, done, total) -> {});
          assertThat(compaction.numItems()).isEqualTo(planned.numItems());
          assertThat(compaction.sizeBytesAfter()).isLessThan(compaction.sizeBytesBefore());
          assertThat(search(with, queries)).isEqualTo(expected);
          DatastoreCheck.verify(disk, with, (what, done, total) -> {});
        });
  }

  /** The removed keys themselves are the queries: nothing would be nearer. */
  @Test
  void removedItemsAreNeverFoundAgain() {
    SeededCases.run(
        6,
        random -> {
          Path directory = root.resolve("store-" + System.nanoTime());
          SourceText text = Stores.text("text", random, lengths(random));
          Stores.build(disk, directory, text);
          String gone = "text-" + random.nextInt(text.numDocuments());
          Set<Integer> removedStored = new HashSet<>();
          float[] queries;
          String contentBefore;
          String storedBefore;
          try (Datastore store = Datastore.open(disk, directory)) {
            StoredDocument document =
                store.documents().stream().filter(d -> d.name().equals(gone)).findAny().get();
            queries = store.keys(document.firstItem(), document.numItems());
            for (int i = 0; i < document.numItems(); i++) {
              removedStored.add(store.storedNumber(document.firstItem() + i));
            }
            contentBefore = store.contentFingerprint();
            storedBefore = store.storedFingerprint();
          }
          new DatastoreEditor(disk, directory).remove(DocumentPattern.name(gone), false);
          try (Datastore store = Datastore.open(disk, directory)) {
            assertThat(store.contentFingerprint()).isNotEqualTo(contentBefore);
            assertThat(store.storedFingerprint()).isEqualTo(storedBefore);
            assertThat(store.numItems()).isEqualTo(store.numStored() - removedStored.size());
            for (int i = 0; i < store.numItems(); i++) {
              assertThat(removedStored).doesNotContain(store.storedNumber(i));
            }
            removedStored.forEach(stored -> assertThat(store.isLive(stored)).isFalse());
            assertThat(store.documents()).filteredOn(d -> !d.live()).hasSize(1);
          }
          for (String found : search(directory, queries)) {
            assertThat(found).doesNotContain(" " + gone + " ");
          }
        });
  }

  /** A pointer leads to the next position of the same text, and not past what was removed. */
  @Test
  void successorsStayWithinTheirDocument() {
    Path directory = root.resolve("store");
    Stores.build(disk, directory, Stores.text("a", new Random(1), 50, 30, 2, 45));
    Stores.add(disk, directory, Stores.text("b", new Random(2), 35, 25));
    new DatastoreEditor(disk, directory).remove(DocumentPattern.name("a-1"), false);
    new DatastoreEditor(disk, directory).remove(DocumentPattern.name("b-0"), false);
    try (Datastore store = Datastore.open(disk, directory);
        ExactSearch search =
            new ExactSearch(
                store.keys(0, 100), store.width(), 1, NeighborSearch.Metric.INNER_PRODUCT, 1);
        ExternalMemory memory =
            new ExternalMemory(
                "", search, NeighborSearch.Metric.INNER_PRODUCT, store, number -> "", 1)) {
      assertThat(store.numItems()).isEqualTo(49 + 1 + 44 + 24);
      List<Integer> ends = new ArrayList<>();
      for (int item = 0; item < 100; item++) {
        if (memory.successor(item) == ExternalMemory.NO_ITEM) {
          ends.add(item);
        } else {
          assertThat(memory.successor(item)).isEqualTo(item + 1);
          assertThat(store.position(item + 1)).isEqualTo(store.position(item) + 1);
          assertThat(store.document(item + 1)).isEqualTo(store.document(item));
        }
      }
      // three documents, and the end of what is searched
      assertThat(ends).containsExactly(48, 49, 93, 99);
    }
  }

  @Test
  void compactionLeavesNoByteOfWhatWasRemoved() {
    Path directory = root.resolve("store");
    Random random = new Random(5);
    Stores.build(disk, directory, Stores.text("kept", random, 90, 40));
    SourceText secret = Stores.text("secret", random, 60, 75, 50);
    Stores.add(disk, directory, secret);
    List<byte[]> traces = new ArrayList<>();
    traces.add("secret-1".getBytes(StandardCharsets.UTF_8));
    try (Datastore store = Datastore.open(disk, directory)) {
      StoredDocument document =
          store.documents().stream().filter(d -> d.name().equals("secret-1")).findAny().get();
      ByteBuffer values = ByteBuffer.allocate(4 * 20).order(ByteOrder.LITTLE_ENDIAN);
      for (int i = 0; i < 20; i++) {
        values.putInt(store.value(document.firstItem() + i));
      }
      traces.add(values.array());
      for (int i = 0; i < document.numItems(); i++) {
        ByteBuffer key = ByteBuffer.allocate(6).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : store.keys(document.firstItem() + i, 1)) {
          key.putShort(Float16.of(value));
        }
        traces.add(key.array());
      }
    }
    DatastoreEditor editor = new DatastoreEditor(disk, directory);
    editor.remove(DocumentPattern.name("secret-1"), false);
    assertThat(traces).allMatch(trace -> isOnDisk(directory, trace));
    editor.compact((what, done, total) -> {});
    assertThat(traces).noneMatch(trace -> isOnDisk(directory, trace));
    assertThat(isOnDisk(directory, "secret-2".getBytes(StandardCharsets.UTF_8))).isTrue();

    // the rest of a text is another text: the whole may come again
    assertThat(Stores.add(disk, directory, secret)).isEqualTo(DatastoreBuilder.Ending.DONE);
    assertThat(editor.compact((what, done, total) -> {}).numItems()).isZero();
    editor.remove(DocumentPattern.glob("*"), false);
    assertThat(editor.compact((what, done, total) -> {}).numItems()).isPositive();
    assertThat(numItems(directory)).isZero();
    assertThat(Stores.files(directory).keySet()).containsExactly("store.json");
    assertThat(Stores.add(disk, directory, secret)).isEqualTo(DatastoreBuilder.Ending.DONE);
  }

  /** A removal does not wait for a text that is on its way, a compaction does. */
  @Test
  void removalAndUnfinishedTexts() {
    Path directory = root.resolve("store");
    SourceText more = Stores.text("more", new Random(2), 500);
    Stores.build(disk, directory, Stores.text("kept", new Random(1), 60, 60));
    DatastoreBuilder.forAdding(disk, directory, "a".repeat(64), "b".repeat(64), "runs/test")
        .run(more, new FakeEncoder(3), (what, done, total) -> {}, () -> true);
    DatastoreEditor editor = new DatastoreEditor(disk, directory);
    assertThat(DatastoreCheck.summary(disk, directory).unfinished()).contains("more");
    assertThatThrownBy(() -> editor.compact((what, done, total) -> {}))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("unfinished text 'more'");
    editor.remove(DocumentPattern.name("kept-0"), false);
    assertThat(Stores.add(disk, directory, more)).isEqualTo(DatastoreBuilder.Ending.DONE);
    assertThat(numItems(directory)).isEqualTo(59 + 499);
    editor.compact((what, done, total) -> {});
    assertThat(numItems(directory)).isEqualTo(59 + 499);
  }

  @Test
  void patternsMeanWholeNames() {
    assertThat(DocumentPattern.glob("a*.txt")).accepts("a.txt", "a/b\n.txt").rejects("ba.txt");
    assertThat(DocumentPattern.glob("a?c")).accepts("abc").rejects("ac", "abbc");
    assertThat(DocumentPattern.glob("**[x]")).accepts("a[x]", "[x]").rejects("ax");
    assertThat(DocumentPattern.name("a*")).accepts("a*").rejects("ab");
  }

  private static int[] lengths(Random random) {
    return random.ints(1 + random.nextInt(5), 3, 60).toArray();
  }

  private static float[] queries(Random random) {
    float[] queries = new float[NUM_QUERIES * 3];
    for (int i = 0; i < queries.length; i++) {
      queries[i] = random.nextInt(65) - 32;
    }
    return queries;
  }

  private int numItems(Path directory) {
    try (Datastore store = Datastore.open(disk, directory)) {
      return store.numItems();
    }
  }

  /** Score, value, position and document name of each neighbour. */
  private List<String> search(Path directory, float[] queries) {
    List<String> found = new ArrayList<>();
    try (Datastore store = Datastore.open(disk, directory)) {
      if (store.numItems() == 0) {
        return found;
      }
      float[] keys = store.keys(0, store.numItems());
      try (ExactSearch search =
          new ExactSearch(keys, store.width(), NEIGHBORS, store.identity().metric(), 1)) {
        NeighborSearch.Neighbors neighbors = search.search(queries);
        for (int i = 0; i < neighbors.items().length; i++) {
          int item = neighbors.items()[i];
          String name = store.documents().get(store.document(item)).name();
          found.add(
              "%s %d %d %s %s"
                  .formatted(
                      neighbors.scores()[i],
                      store.value(item),
                      store.position(item),
                      name,
                      Arrays.toString(store.keys(item, 1))));
        }
      }
    }
    return found;
  }

  private static boolean isOnDisk(Path directory, byte[] trace) {
    for (Map.Entry<String, byte[]> file : Stores.files(directory).entrySet()) {
      if (Bytes.indexOf(file.getValue(), trace) >= 0) {
        return true;
      }
    }
    return false;
  }
}
