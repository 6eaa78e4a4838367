package org.lathe.training.examples;

/**
 * How much a table may hold, so that a hostile file cannot exhaust the memory.
 *
 * @param rowBytes bytes of a line, and of all lines of a row in quotation marks
 * @param numColumns fields of a row
 * @param tableBytes unpacked bytes of the file
 */
record TableLimits(int rowBytes, int numColumns, long tableBytes) {
  static final TableLimits DEFAULT = new TableLimits(16 << 20, 1024, 1L << 30);
}
