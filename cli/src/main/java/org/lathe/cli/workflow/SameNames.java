package org.lathe.cli.workflow;

import com.google.common.collect.LinkedHashMultimap;
import com.google.common.collect.SetMultimap;
import org.lathe.cli.progress.Console;

/** Notices documents of one memory that an explanation shows under the same name. */
final class SameNames {
  /** Memory and name, as a sentence calls them, to the numbers of the documents. */
  private final SetMultimap<String, Integer> numbers = LinkedHashMultimap.create();

  /**
   * One document that is shown.
   *
   * @param memory kind of memory
   * @param document its number there
   */
  void add(String memory, String name, int document) {
    numbers.put(memory + " documents are named " + ShownItems.quoted(name), document);
  }

  /** Says so once for each name, if there is one. */
  void warn(Console console) {
    numbers
        .asMap()
        .forEach(
            (what, documents) -> {
              if (documents.size() > 1) {
                console.note(
                    "%d different %s in this explanation; only their positions tell them apart"
                        .formatted(documents.size(), what));
              }
            });
  }
}
