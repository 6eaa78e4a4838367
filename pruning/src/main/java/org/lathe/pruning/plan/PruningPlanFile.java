package org.lathe.pruning.plan;

import java.io.IOException;
import java.nio.file.Path;
import org.lathe.training.files.RecordFile;
import org.lathe.training.files.Storage;

/** Reads and writes {@code plan.json}. */
public final class PruningPlanFile {
  private static final RecordFile<PruningPlan> FILE =
      new RecordFile<>("lathe-pruning-plan", 1, PruningPlan.class);

  private PruningPlanFile() {}

  /** Replaces the file at once. */
  public static void write(Storage storage, Path file, PruningPlan plan) throws IOException {
    FILE.write(storage, file, plan);
  }

  /**
   * @throws org.lathe.graphs.errors.CorruptFileException when it is damaged, or when its indices,
   *     gates and counts do not agree
   * @throws org.lathe.graphs.errors.FormatTooNewException when a newer Lathe wrote it
   */
  public static PruningPlan read(Storage storage, Path file) throws IOException {
    return FILE.read(storage, file);
  }
}
