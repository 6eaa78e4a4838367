package org.lathe.training.data;

/**
 * How much a corpus may hold, so that a hostile archive cannot exhaust the memory.
 *
 * @param textBytes unpacked bytes of one text file
 * @param entryBytes unpacked bytes of one archive entry
 * @param numEntries entries of one archive
 * @param corpusBytes unpacked bytes of all sources
 * @param depth nesting of directories
 */
record CorpusLimits(long textBytes, long entryBytes, int numEntries, long corpusBytes, int depth) {
  static final CorpusLimits DEFAULT =
      new CorpusLimits(1L << 30, 16L << 20, 1_000_000, 8L << 30, 64);
}
