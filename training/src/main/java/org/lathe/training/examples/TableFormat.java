package org.lathe.training.examples;

import java.util.Locale;

/** How the fields of a row are told apart. */
public enum TableFormat {
  /** A row a line, fields between tabs; quotation marks are text, as in GLUE. */
  TSV,
  /** Fields between commas; in quotation marks they may hold commas, line ends and "" for ". */
  CSV;

  /** CSV for names that end in .csv or .csv.gz, else TSV. */
  public static TableFormat byName(String fileName) {
    String name = fileName.toLowerCase(Locale.ROOT);
    return name.endsWith(".csv") || name.endsWith(".csv.gz") ? CSV : TSV;
  }
}
