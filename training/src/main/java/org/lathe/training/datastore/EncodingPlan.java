package org.lathe.training.datastore;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.evaluation.SlidingWindows;

/**
 * Which windows a text is read in, which of them go through the model together and where chunks
 * end. It depends on the text's length and documents and on the settings only, so that a build that
 * was interrupted continues with the same numbers.
 *
 * <p>Every position of which the next token belongs to the same document is an item; the others are
 * left out, since what they would predict is another document's text, which they would keep beyond
 * its removal.
 */
final class EncodingPlan {
  /** Windows that go through the model together. */
  static final int WINDOWS_PER_RUN = 8;

  /** Windows of one run; the shorter ones are filled up behind, which no key sees. */
  record Run(ImmutableList<SlidingWindows.Window> windows) {
    int length() {
      return windows.stream().mapToInt(window -> window.end() - window.begin()).max().orElse(0);
    }
  }

  /** What one segment is made of. */
  record Chunk(ImmutableList<Run> runs, int numItems) {}

  private final SourceText text;
  private final ImmutableList<Chunk> chunks;
  private final ImmutableList<DocumentTableFile.Entry> documents;

  /**
   * @param chunkItems items after which a chunk ends with its run
   * @throws ConfigException when the text has no item, or too many
   */
  EncodingPlan(SourceText text, StoreIdentity identity, int chunkItems) {
    this.text = text;
    if (text.size() > StoreTable.MAX_ITEMS) {
      throw new ConfigException(
          "the text "
              + text.name()
              + " has "
              + text.size()
              + " tokens; a datastore holds at most "
              + StoreTable.MAX_ITEMS
              + " items. Use less text.");
    }
    documents = entries(text);
    long numItems = documents.stream().mapToLong(DocumentTableFile.Entry::numItems).sum();
    if (numItems == 0) {
      throw new ConfigException(
          "the text "
              + text.name()
              + " gives no items: it needs a document of at least two tokens, found "
              + text.size()
              + " tokens in "
              + text.numDocuments()
              + " documents");
    }
    chunks = chunks(windows(identity), chunkItems);
  }

  private static ImmutableList<DocumentTableFile.Entry> entries(SourceText text) {
    ImmutableList.Builder<DocumentTableFile.Entry> entries = ImmutableList.builder();
    for (int i = 0; i < text.numDocuments(); i++) {
      int numTokens = (int) (documentEnd(text, i) - text.documentStart(i));
      entries.add(
          new DocumentTableFile.Entry(
              text.documentId(i), text.documentStart(i), Math.max(0, numTokens - 1)));
    }
    return entries.build();
  }

  private static long documentEnd(SourceText text, int document) {
    return document + 1 < text.numDocuments() ? text.documentStart(document + 1) : text.size();
  }

  private List<SlidingWindows.Window> windows(StoreIdentity identity) {
    SlidingWindows protocol = new SlidingWindows(identity.window(), identity.stride());
    if (!identity.separateDocuments()) {
      return protocol.over((int) text.size() - 1);
    }
    List<SlidingWindows.Window> windows = new ArrayList<>();
    for (DocumentTableFile.Entry document : documents) {
      if (document.numItems() > 0) {
        int start = (int) document.firstPosition();
        for (SlidingWindows.Window window : protocol.over(document.numItems())) {
          windows.add(
              new SlidingWindows.Window(
                  start + window.begin(), start + window.scoredFrom(), start + window.end()));
        }
      }
    }
    return windows;
  }

  private ImmutableList<Chunk> chunks(List<SlidingWindows.Window> windows, int chunkItems) {
    Preconditions.checkArgument(chunkItems > 0, "chunkItems (%s) must be positive", chunkItems);
    ImmutableList.Builder<Chunk> all = ImmutableList.builder();
    ImmutableList.Builder<Run> runs = ImmutableList.builder();
    int numItems = 0;
    for (int first = 0; first < windows.size(); first += WINDOWS_PER_RUN) {
      int end = Math.min(first + WINDOWS_PER_RUN, windows.size());
      runs.add(new Run(ImmutableList.copyOf(windows.subList(first, end))));
      for (SlidingWindows.Window window : windows.subList(first, end)) {
        numItems += numItems(window);
      }
      if (numItems >= chunkItems) {
        all.add(new Chunk(runs.build(), numItems));
        runs = ImmutableList.builder();
        numItems = 0;
      }
    }
    if (numItems > 0) {
      all.add(new Chunk(runs.build(), numItems));
    }
    return all.build();
  }

  private int numItems(SlidingWindows.Window window) {
    int numItems = 0;
    for (int position = window.scoredFrom(); position < window.end(); ) {
      int end = itemsEnd(position, window.end());
      numItems += end - position;
      position = end + 1;
    }
    return numItems;
  }

  /** The first position from here on, or the limit, that is no item: its document's last. */
  int itemsEnd(int position, int limit) {
    int low = 0;
    int high = text.numDocuments() - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (text.documentStart(middle) <= position) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return (int) Math.min(limit, documentEnd(text, low) - 1);
  }

  ImmutableList<Chunk> chunks() {
    return chunks;
  }

  ImmutableList<DocumentTableFile.Entry> documents() {
    return documents;
  }

  long numItems() {
    return chunks.stream().mapToLong(Chunk::numItems).sum();
  }

  /** Positions that go through the model, context and filling included. */
  long numEncodedPositions() {
    long positions = 0;
    for (Chunk chunk : chunks) {
      for (Run run : chunk.runs()) {
        positions += (long) run.length() * run.windows().size();
      }
    }
    return positions;
  }

  /** Values of a chunk's items. */
  int[] values(Chunk chunk) {
    int[] values = new int[chunk.numItems()];
    int done = 0;
    for (Run run : chunk.runs()) {
      for (SlidingWindows.Window window : run.windows()) {
        for (int position = window.scoredFrom(); position < window.end(); ) {
          int end = itemsEnd(position, window.end());
          text.read(position + 1L, values, done, end - position);
          done += end - position;
          position = end + 1;
        }
      }
    }
    return values;
  }

  /** What the model reads in a run, row-major (windows, length). */
  int[] tokens(Run run) {
    int length = run.length();
    int[] tokens = new int[run.windows().size() * length];
    for (int w = 0; w < run.windows().size(); w++) {
      SlidingWindows.Window window = run.windows().get(w);
      text.read(window.begin(), tokens, w * length, window.end() - window.begin());
    }
    return tokens;
  }
}
