package org.lathe.cli.workflow;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.EvaluationSection;
import org.lathe.cli.config.EvaluationSection.IndexKind;
import org.lathe.cli.progress.Console;
import org.lathe.export.retrieval.StoredMemory;
import org.lathe.graphs.errors.FailedException;
import org.lathe.graphs.retrieval.KeyEncoding;
import org.lathe.training.data.TokenFile;
import org.lathe.training.datastore.Datastore;
import org.lathe.training.datastore.ExactSearch;
import org.lathe.training.datastore.ExternalMemory;
import org.lathe.training.datastore.IvfIndex;
import org.lathe.training.datastore.IvfSearch;
import org.lathe.training.datastore.IvfSettings;
import org.lathe.training.datastore.NeighborSearch;
import org.lathe.training.datastore.StoreIndexFile;
import org.lathe.training.files.Storage;

/** The external memory of a store on disk, made by {@code lathe datastore build}. */
final class StoreDirectory implements ExternalStores, AutoCloseable {
  /** Beyond it the index answers sooner and finds nearly the same. */
  private static final int MAX_EXACT_ITEMS = 200_000;

  private final Storage storage;
  private final Path directory;
  private final Datastore store;
  private final EvaluationSection settings;
  private final NeighborSearch.Metric metric;
  private final int threads;
  private final Console console;
  private @Nullable IvfIndex index;

  /**
   * @param modelFingerprint of the model that asks; it must have made the keys
   * @param source of the model, for messages
   */
  StoreDirectory(
      Storage storage,
      Path directory,
      String modelFingerprint,
      String source,
      EvaluationSection settings,
      NeighborSearch.Metric metric,
      int threads,
      Console console) {
    this.storage = storage;
    this.directory = directory;
    this.settings = settings;
    this.metric = metric;
    this.threads = threads;
    this.console = console;
    this.store = Datastore.open(storage, directory);
    try {
      store.requireModel(modelFingerprint, source);
      if (store.numItems() == 0) {
        throw new FailedException(
            directory + " has no items left; add text with 'lathe datastore add'");
      }
    } catch (RuntimeException e) {
      store.close();
      throw e;
    }
  }

  @Override
  public boolean holds(TokenFile text) {
    return store.holds(text);
  }

  @Override
  public ExternalMemory open(int neighbors, double fraction, IndexKind kind) {
    int numItems = Math.max(1, (int) Math.round(fraction * store.numItems()));
    NeighborSearch search;
    long indexBytes = 0;
    if (exact(kind, numItems) || numItems < store.numItems()) {
      search = new ExactSearch(store.keys(0, numItems), store.width(), neighbors, metric, threads);
    } else {
      IvfIndex opened = index();
      indexBytes = opened.numBytes();
      search = new IvfSearch(opened, settings.probes(), neighbors, threads);
    }
    long bytes = store.sizeBytes() * numItems / store.numItems() + indexBytes;
    return new ExternalMemory(
        directory.toString(),
        search,
        metric,
        store,
        document -> store.documents().get(document).name(),
        bytes);
  }

  /** Of all items. */
  private IvfIndex index() {
    if (index == null) {
      console.note("opening the index of " + directory);
      index =
          StoreIndexFile.readOrBuild(storage, directory, store, metric, indexSettings(), threads);
    }
    return index;
  }

  private IvfSettings indexSettings() {
    return ExternalStores.indexSettings(store.numItems(), settings);
  }

  int numItems() {
    return store.numItems();
  }

  /** About what the store takes in a served model, with the search that the settings ask for. */
  long exportedBytes() {
    IvfSettings wanted =
        exact(settings.index(), store.numItems())
            ? indexSettings().with(KeyEncoding.FLOAT32).withNumLists(1)
            : indexSettings();
    return StoredMemory.estimatedBytes(store.numItems(), store.width(), metric, wanted);
  }

  /**
   * All items for a served model, searched as an evaluation with the same settings does.
   *
   * @throws org.lathe.graphs.errors.ConfigException when they are too many
   */
  StoredMemory toExport() {
    StoredMemory.requireSize(exportedBytes(), directory.toString());
    if (!exact(settings.index(), store.numItems())) {
      return StoredMemory.of(store, index());
    }
    IvfIndex oneList =
        IvfIndex.build(
            store.keys(0, store.numItems()),
            store.width(),
            metric,
            IvfSettings.of(store.numItems(), INDEX_SEED).withNumLists(1),
            threads);
    return StoredMemory.of(store, oneList);
  }

  private static boolean exact(IndexKind kind, int numItems) {
    return kind == IndexKind.EXACT || (kind == IndexKind.AUTO && numItems <= MAX_EXACT_ITEMS);
  }

  @Override
  public void close() {
    store.close();
  }
}
