package org.lathe.pruning.budget;

import java.io.IOException;
import java.nio.file.Path;
import org.lathe.training.files.RecordFile;
import org.lathe.training.files.Storage;

/** Reads and writes latency tables as JSON. */
public final class LatencyTableFile {
  private static final RecordFile<LatencyTable> FILE =
      new RecordFile<>("lathe-latency-table", 1, LatencyTable.class);

  private LatencyTableFile() {}

  /** Replaces the file at once. */
  public static void write(Storage storage, Path file, LatencyTable table) throws IOException {
    FILE.write(storage, file, table);
  }

  /**
   * @throws org.lathe.graphs.errors.CorruptFileException when it is damaged or not a latency table
   * @throws org.lathe.graphs.errors.FormatTooNewException when a newer Lathe wrote it
   */
  public static LatencyTable read(Storage storage, Path file) throws IOException {
    return FILE.read(storage, file);
  }
}
