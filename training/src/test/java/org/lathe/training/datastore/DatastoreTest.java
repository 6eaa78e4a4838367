package org.lathe.training.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.testdata.SeededCases;
import org.lathe.training.evaluation.SlidingWindows;
import org.lathe.training.files.FaultyStorage;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;

class DatastoreTest {
  @TempDir Path root;

  /** Without faults; unlike the disk itself it does not wait for syncs. */
  private final Storage disk = new FaultyStorage(LocalStorage.INSTANCE);

  private record Item(float[] key, int value, long position, int document) {}

  @Test
  void holdsEveryItemOfRandomTexts() {
    SeededCases.run(
        60,
        random -> {
          int window = 1 + random.nextInt(20);
          boolean separate = random.nextBoolean();
          StoreIdentity identity =
              Stores.identity(1 + random.nextInt(6), window, 1 + random.nextInt(window), separate);
          int[] lengths = random.ints(1 + random.nextInt(9), 1, 70).toArray();
          lengths[random.nextInt(lengths.length)] += 2;
          SourceText text = Stores.text("text", random, lengths);
          Path directory = root.resolve("store-" + System.nanoTime());
          assertThat(Stores.build(disk, directory, identity, text))
              .isEqualTo(DatastoreBuilder.Ending.DONE);
          try (Datastore store = Datastore.open(disk, directory)) {
            check(store, text, expected(text, identity), random);
          }
          DatastoreCheck.verify(disk, directory, (what, done, total) -> {});
        });
  }

  private static void check(Datastore store, SourceText text, List<Item> expected, Random random) {
    int width = store.width();
    assertThat(store.numItems()).isEqualTo(expected.size()).isEqualTo(store.numStored());
    for (int i = 0; i < expected.size(); i++) {
      Item item = expected.get(i);
      assertThat(store.keys(i, 1)).as("key of item %s", i).isEqualTo(item.key());
      assertThat(store.value(i)).as("value of item %s", i).isEqualTo(item.value());
      assertThat(store.position(i)).isEqualTo(item.position());
      assertThat(store.document(i)).isEqualTo(item.document());
      assertThat(store.liveNumber(store.storedNumber(i))).isEqualTo(i);
    }
    int from = random.nextInt(expected.size());
    int count = 1 + random.nextInt(expected.size() - from);
    float[] some = store.keys(from, count);
    for (int i = 0; i < count; i++) {
      assertThat(Arrays.copyOfRange(some, i * width, (i + 1) * width))
          .isEqualTo(expected.get(from + i).key());
    }
    assertThat(store.documents()).hasSize(text.numDocuments());
    for (StoredDocument document : store.documents()) {
      assertThat(document.name()).isEqualTo(text.documentId(document.number()));
      assertThat(document.firstPosition()).isEqualTo(text.documentStart(document.number()));
    }
  }

  /** One position after the other, each with the window that scores it. */
  private static List<Item> expected(SourceText text, StoreIdentity identity) {
    int[] tokens = new int[(int) text.size()];
    text.read(0, tokens, 0, tokens.length);
    int[] documentOf = new int[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      int document = 0;
      while (document + 1 < text.numDocuments() && text.documentStart(document + 1) <= i) {
        document++;
      }
      documentOf[i] = document;
    }
    SlidingWindows protocol = new SlidingWindows(identity.window(), identity.stride());
    List<Item> items = new ArrayList<>();
    for (int i = 0; i + 1 < tokens.length; i++) {
      if (documentOf[i] != documentOf[i + 1]) {
        continue;
      }
      int start = identity.separateDocuments() ? (int) text.documentStart(documentOf[i]) : 0;
      int end = start;
      while (end < tokens.length
          && (!identity.separateDocuments() || documentOf[end] == documentOf[i])) {
        end++;
      }
      for (SlidingWindows.Window window : protocol.over(end - start - 1)) {
        if (start + window.scoredFrom() <= i && i < start + window.end()) {
          int[] read = Arrays.copyOfRange(tokens, start + window.begin(), i + 1);
          items.add(
              new Item(FakeEncoder.key(read, identity.width()), tokens[i + 1], i, documentOf[i]));
        }
      }
    }
    return items;
  }

  @Test
  void keysAreRoundedToFloat16() {
    Path directory = root.resolve("store");
    TextEncoder encoder =
        new TextEncoder() {
          @Override
          public int width() {
            return 1;
          }

          @Override
          public float[] encode(int[] tokens, int numWindows, int length) {
            float[] keys = new float[tokens.length];
            Arrays.fill(keys, (float) Math.PI);
            return keys;
          }

          @Override
          public void close() {}
        };
    Stores.builder(disk, directory, Stores.identity(1, 8, 8, false))
        .run(Stores.text("a", new Random(1), 20), encoder, (what, done, total) -> {}, () -> false);
    try (Datastore store = Datastore.open(disk, directory)) {
      // half of the distance between halves from 2 to 4
      assertThat((double) store.keys(7, 1)[0]).isCloseTo(Math.PI, within(Math.pow(2, -10)));
      assertThat(store.keys(0, 19)).containsOnly(3.140625f);
    }
  }

  @Test
  void theEstimateIsRightWithinFivePercent() {
    Path directory = root.resolve("store");
    SourceText text = Stores.text("text", new Random(3), new Random(4).ints(60, 2, 900).toArray());
    DatastoreBuilder builder =
        DatastoreBuilder.forNew(disk, directory, Stores.identity(32, 64, 32, false), 2000);
    BuildEstimate estimate = builder.estimate(text);
    assertThat(directory).doesNotExist();
    assertThat(builder.estimateSeconds(text, new FakeEncoder(32), new Ticks()::next))
        .isCloseTo(1.0 * estimate.numEncodedPositions() / (8 * 64), within(1e-9));
    FakeEncoder encoder = new FakeEncoder(32);
    builder.run(text, encoder, (what, done, total) -> {}, () -> false);
    DatastoreCheck.Summary summary = DatastoreCheck.summary(disk, directory);
    assertThat((double) estimate.sizeBytes() / summary.sizeBytes()).isBetween(0.95, 1.05);
    assertThat(estimate.numItems()).isEqualTo(summary.numItems()).isEqualTo(text.size() - 60);
    assertThat(summary.bytesPerItem()).isBetween(68.0, 72.0);
    assertThat(estimate.numDocuments()).isEqualTo(60).isEqualTo(summary.numDocuments());
  }

  /** A second a call. */
  private static final class Ticks {
    private long now;

    long next() {
      now += 1_000_000_000L;
      return now;
    }
  }

  @Test
  void tooLittleSpaceIsSaidBeforeAnythingIsWritten() {
    FaultyStorage full = new FaultyStorage(LocalStorage.INSTANCE).quotaBytes(100).showQuota();
    Path directory = root.resolve("store");
    assertThatThrownBy(() -> Stores.build(full, directory, Stores.text("text", new Random(1), 300)))
        .isInstanceOf(FailedException.class)
        .hasMessageContaining("free 100 bytes");
    assertThat(directory).doesNotExist();
  }

  @Test
  void aStopKeepsCompleteChunksAndLeavesNoPart() {
    Path directory = root.resolve("store");
    SourceText text = Stores.text("text", new Random(1), 300);
    DatastoreBuilder builder = Stores.builder(disk, directory, Stores.identity());
    int[] asked = {0};
    assertThat(
            builder.run(text, new FakeEncoder(3), (what, done, total) -> {}, () -> ++asked[0] > 3))
        .isEqualTo(DatastoreBuilder.Ending.STOPPED);
    assertThat(builder.estimate(text).chunksDone()).isPositive();
    assertThat(Stores.files(directory).keySet())
        .contains("job.json", "part-000001/segment-00000000")
        .noneMatch(name -> name.endsWith(".partial"));
    assertThatThrownBy(() -> Datastore.open(disk, directory))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("not finished");
    assertThatThrownBy(
            () -> Stores.build(disk, directory, Stores.text("other", new Random(2), 300)))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("unfinished text 'text'");
    assertThat(new DatastoreEditor(disk, directory).dropUnfinished(false)).contains("text");
    assertThat(Stores.files(directory)).isEmpty();
    assertThat(Stores.build(disk, directory, text)).isEqualTo(DatastoreBuilder.Ending.DONE);
    assertThat(Stores.build(disk, directory, text))
        .isEqualTo(DatastoreBuilder.Ending.ALREADY_THERE);
    assertThat(Stores.add(disk, directory, text)).isEqualTo(DatastoreBuilder.Ending.ALREADY_THERE);
  }

  @Test
  void refusesWhatDoesNotBelongTogether() throws Exception {
    Path directory = root.resolve("store");
    SourceText text = Stores.text("text", new Random(1), 30);
    Stores.build(disk, directory, text);
    assertThatThrownBy(
            () ->
                DatastoreBuilder.forAdding(
                    disk, directory, "c".repeat(64), "b".repeat(64), "runs/other"))
        .isInstanceOf(GraphMismatchException.class)
        .hasMessageContainingAll("aaaa", "cccc", "lathe datastore build runs/other --out");
    assertThatThrownBy(
            () ->
                DatastoreBuilder.forAdding(
                    disk, directory, "a".repeat(64), "c".repeat(64), "runs/other"))
        .isInstanceOf(GraphMismatchException.class)
        .hasMessageContaining("tokenizer");
    try (Datastore store = Datastore.open(disk, directory)) {
      store.requireModel("a".repeat(64), "runs/test");
      assertThatThrownBy(() -> store.requireModel("c".repeat(64), "runs/other"))
          .isInstanceOf(GraphMismatchException.class);
    }
    assertThatThrownBy(() -> Stores.build(disk, directory, Stores.text("other", new Random(2), 30)))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("not overwritten");
    Path mine = root.resolve("mine");
    disk.createDirectories(mine);
    disk.create(mine.resolve("letter.txt")).close();
    assertThatThrownBy(() -> Stores.build(disk, mine, text))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("other things");
    assertThatThrownBy(
            () -> Stores.build(disk, root.resolve("x"), Stores.text("t", new Random(1), 1, 1)))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("no items");
    assertThat(root.resolve("x")).doesNotExist();
    assertThatThrownBy(() -> Datastore.open(disk, root.resolve("nowhere")))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("not a datastore");
  }
}
