package org.lathe.training.examples;

import java.util.List;

/**
 * A row of a table.
 *
 * @param line the line of the file on which it begins, from 1
 */
record TableRow(long line, List<String> fields) {}
