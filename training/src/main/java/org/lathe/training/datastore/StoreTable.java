package org.lathe.training.datastore;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import com.google.common.hash.HashCode;
import com.google.common.hash.Hashing;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.lathe.training.files.FramedFile;

/**
 * What is in a store: the one file that is ever replaced, {@code store.json}. What it does not list
 * is not there.
 *
 * @param generation 1 for a fresh store, one more with every change
 * @param nextPart number of the next part; numbers are never used twice
 * @param parts in the order of their items
 */
record StoreTable(StoreIdentity identity, long generation, int nextPart, List<Part> parts) {
  /** Item numbers are ints. */
  static final long MAX_ITEMS = Integer.MAX_VALUE;

  static final int MAX_PARTS = 10_000;
  static final int MAX_SEGMENTS_PER_PART = 1_000_000;
  static final int MAX_SOURCE_LENGTH = 1024;

  /** Numbers from until before to. */
  record Range(int from, int to) {
    Range {
      Preconditions.checkArgument(0 <= from && from < to, "no range: from %s to %s", from, to);
    }
  }

  /**
   * What one build or add brought, in files that never change.
   *
   * @param number of its directory
   * @param source a name for people
   * @param sourceSha256 of its tokens and documents
   * @param segmentItems number of items in each segment
   * @param removed numbers within the part of documents that are removed, ascending
   */
  record Part(
      int number,
      String source,
      String sourceSha256,
      List<Integer> segmentItems,
      int numDocuments,
      List<Range> removed) {
    Part {
      Preconditions.checkArgument(number > 0, "part %s must have a number from 1", number);
      Preconditions.checkArgument(
          source.length() <= MAX_SOURCE_LENGTH, "the source of part %s is too long", number);
      StoreIdentity.requireSha256("sourceSha256", sourceSha256);
      segmentItems = ImmutableList.copyOf(segmentItems);
      Preconditions.checkArgument(
          segmentItems.size() <= MAX_SEGMENTS_PER_PART,
          "part %s has %s segments, at most %s expected",
          number,
          segmentItems.size(),
          MAX_SEGMENTS_PER_PART);
      for (int items : segmentItems) {
        Preconditions.checkArgument(items > 0, "part %s has an empty segment", number);
      }
      Preconditions.checkArgument(numDocuments > 0, "part %s has no documents", number);
      removed = ImmutableList.copyOf(removed);
      int end = -1;
      for (Range range : removed) {
        Preconditions.checkArgument(
            range.from() > end && range.to() <= numDocuments,
            "part %s of %s documents has removed ones out of order or outside: %s",
            number,
            numDocuments,
            range);
        end = range.to();
      }
    }

    long numItems() {
      return segmentItems.stream().mapToLong(Integer::longValue).sum();
    }

    BitSet removedDocuments() {
      BitSet documents = new BitSet(numDocuments);
      removed.forEach(range -> documents.set(range.from(), range.to()));
      return documents;
    }

    /** The same part with these documents removed and no others. */
    Part withRemoved(BitSet documents) {
      ImmutableList.Builder<Range> ranges = ImmutableList.builder();
      for (int from = documents.nextSetBit(0); from >= 0; ) {
        int to = documents.nextClearBit(from);
        ranges.add(new Range(from, to));
        from = documents.nextSetBit(to);
      }
      return new Part(number, source, sourceSha256, segmentItems, numDocuments, ranges.build());
    }
  }

  StoreTable {
    parts = ImmutableList.copyOf(parts);
    Preconditions.checkArgument(generation > 0, "generation (%s) must be positive", generation);
    Preconditions.checkArgument(
        parts.size() <= MAX_PARTS, "%s parts, at most %s expected", parts.size(), MAX_PARTS);
    Set<Integer> numbers = new HashSet<>();
    long numItems = 0;
    for (Part part : parts) {
      Preconditions.checkArgument(
          part.number() < nextPart && numbers.add(part.number()),
          "part %s is listed twice or not below nextPart (%s)",
          part.number(),
          nextPart);
      numItems += part.numItems();
    }
    Preconditions.checkArgument(
        numItems <= MAX_ITEMS, "%s items, at most %s expected", numItems, MAX_ITEMS);
  }

  StoreTable withParts(int newNextPart, List<Part> newParts) {
    return new StoreTable(identity, generation + 1, newNextPart, newParts);
  }

  /** The id in a segment's or document table's frame, so that no file passes for another. */
  static byte[] fileId(StoreIdentity identity, int part, String sourceSha256, int file) {
    String all = identity.modelFingerprint() + ' ' + sourceSha256 + ' ' + part + ' ' + file;
    HashCode hash = Hashing.sha256().hashString(all, StandardCharsets.UTF_8);
    return Arrays.copyOf(hash.asBytes(), FramedFile.ID_BYTES);
  }
}
