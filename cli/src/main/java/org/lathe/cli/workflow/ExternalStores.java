package org.lathe.cli.workflow;

import com.google.common.base.Suppliers;
import java.util.function.Supplier;
import org.lathe.training.data.TokenFile;
import org.lathe.training.datastore.ExactSearch;
import org.lathe.training.datastore.ExternalMemory;
import org.lathe.training.datastore.KeyStore;
import org.lathe.training.datastore.NeighborSearch;

/** Where the external memory of an evaluation comes from. */
interface ExternalStores {
  /**
   * Whether the store's positions are those of this text, counted from its first token: then a
   * query must not find itself. Items of other sources in such a store are left out with it where
   * their positions are the same numbers.
   */
  boolean holds(TokenFile text);

  /**
   * Opens it for one measurement.
   *
   * @param neighbors that a search gives
   * @param fraction part of the items that are searched, from the first one on
   */
  ExternalMemory open(int neighbors, double fraction);

  /**
   * The training text in the heap, searched exactly.
   *
   * @param keys of its first tokens; asked once, when first needed
   */
  static ExternalStores ofTrainingText(
      TokenFile train, Supplier<KeyStore> keys, NeighborSearch.Metric metric, int threads) {
    Supplier<KeyStore> once = Suppliers.memoize(keys::get);
    return new ExternalStores() {
      @Override
      public boolean holds(TokenFile text) {
        return text.size() == train.size() && text.sha256().equals(train.sha256());
      }

      @Override
      public ExternalMemory open(int neighbors, double fraction) {
        KeyStore all = once.get();
        int numItems = Math.max(1, (int) Math.round(fraction * all.numItems()));
        KeyStore store = numItems == all.numItems() ? all : all.first(numItems);
        long bytesPerItem = Float.BYTES * (long) all.width() + 2L * Integer.BYTES;
        return new ExternalMemory(
            train.path().toString(),
            new ExactSearch(store.keys(), store.width(), neighbors, metric, threads),
            metric,
            store,
            train::documentId,
            bytesPerItem * numItems);
      }
    };
  }
}
