package org.lathe.cli.workflow;

import org.lathe.cli.config.EvaluationSection;
import org.lathe.cli.config.EvaluationSection.IndexKind;
import org.lathe.training.data.TokenFile;
import org.lathe.training.datastore.ExternalMemory;
import org.lathe.training.datastore.IvfSettings;

/** Where the external memory of an evaluation comes from. */
interface ExternalStores {
  long INDEX_SEED = 1;

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
   * @param index how they are searched; a part of the items is always searched exactly
   */
  ExternalMemory open(int neighbors, double fraction, IndexKind index);

  /** Of an index over so many items. */
  static IvfSettings indexSettings(int numItems, EvaluationSection settings) {
    return IvfSettings.of(numItems, INDEX_SEED).with(settings.encoding());
  }
}
