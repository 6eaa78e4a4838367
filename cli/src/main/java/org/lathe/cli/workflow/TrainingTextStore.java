package org.lathe.cli.workflow;

import com.google.common.base.Suppliers;
import java.util.function.Supplier;
import org.lathe.cli.config.EvaluationSection;
import org.lathe.cli.config.EvaluationSection.IndexKind;
import org.lathe.training.data.TokenFile;
import org.lathe.training.datastore.ExactSearch;
import org.lathe.training.datastore.ExternalMemory;
import org.lathe.training.datastore.IvfIndex;
import org.lathe.training.datastore.IvfSearch;
import org.lathe.training.datastore.KeyStore;
import org.lathe.training.datastore.NeighborSearch;

/**
 * The training text in the heap as an external memory. It is searched exactly unless an index is
 * asked for, which is built when first needed and not kept.
 */
final class TrainingTextStore implements ExternalStores {
  private final TokenFile train;
  private final Supplier<KeyStore> keys;
  private final EvaluationSection settings;
  private final NeighborSearch.Metric metric;
  private final int threads;
  private final Supplier<IvfIndex> index;

  /**
   * @param keys of the text's first tokens; asked when first needed
   */
  TrainingTextStore(
      TokenFile train,
      Supplier<KeyStore> keys,
      EvaluationSection settings,
      NeighborSearch.Metric metric,
      int threads) {
    this.train = train;
    this.keys = keys;
    this.settings = settings;
    this.metric = metric;
    this.threads = threads;
    this.index = Suppliers.memoize(() -> buildIndex(keys.get()));
  }

  private IvfIndex buildIndex(KeyStore store) {
    return IvfIndex.build(
        store.keys(),
        store.width(),
        metric,
        ExternalStores.indexSettings(store.numItems(), settings),
        threads);
  }

  @Override
  public boolean holds(TokenFile text) {
    return text.size() == train.size() && text.sha256().equals(train.sha256());
  }

  @Override
  public ExternalMemory open(int neighbors, double fraction, IndexKind kind) {
    KeyStore all = keys.get();
    int numItems = Math.max(1, (int) Math.round(fraction * all.numItems()));
    KeyStore store = numItems == all.numItems() ? all : all.first(numItems);
    boolean indexed = kind == IndexKind.IVF && numItems == all.numItems();
    NeighborSearch search =
        indexed
            ? new IvfSearch(index.get(), settings.probes(), neighbors, threads)
            : new ExactSearch(store.keys(), store.width(), neighbors, metric, threads);
    long bytesPerItem = Float.BYTES * (long) all.width() + 2L * Integer.BYTES;
    return new ExternalMemory(
        train.path().toString(),
        search,
        metric,
        store,
        train::documentId,
        bytesPerItem * numItems + (indexed ? index.get().numBytes() : 0));
  }
}
