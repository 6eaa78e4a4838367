package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.Storage;
import org.lathe.training.weights.ModelFingerprint;

/**
 * RUN/teacher.json: which weights a pruned run learns from. The same path can hold others later,
 * when the teacher is trained on or made anew; gates, scores and plans that were learned beside one
 * teacher are then not gone on with beside another.
 */
final class TeacherFile {
  private static final String NAME = "teacher.json";
  private static final String RUN = "run";
  private static final String FINGERPRINT = "fingerprint";

  private TeacherFile() {}

  /**
   * Keeps the fingerprint at the first start, and compares it at every later one. Of a run that was
   * begun before fingerprints were kept nothing is known, and nothing is written.
   *
   * @param run directory of the pruned run, made here where it is new
   * @param weights of the teacher, encoder and head or the whole language model
   * @throws GraphMismatchException when the run was begun with other weights
   */
  static void keepOrCompare(Storage storage, Path run, RunDirectory teacher, Weights weights) {
    if (storage.exists(run.resolve(NAME))) {
      compare(storage, run, teacher, weights);
    } else if (!RunDirectory.exists(storage, run)
        && !storage.exists(run.resolve(RunDirectory.PRUNING))) {
      IoGuard.run(storage, "create", run, () -> storage.createDirectories(run));
      Map<String, Object> facts = new LinkedHashMap<>();
      facts.put(RUN, teacher.path().toString());
      facts.put(FINGERPRINT, ModelFingerprint.of(teacher.record().model(), weights));
      JsonFile.replace(storage, run.resolve(NAME), facts);
    }
  }

  /**
   * Compares, where the run has a fingerprint.
   *
   * @throws GraphMismatchException when the run was begun with other weights
   * @throws CorruptFileException when the file holds something else
   */
  static void compare(Storage storage, Path run, RunDirectory teacher, Weights weights) {
    Path file = run.resolve(NAME);
    if (!storage.exists(file)) {
      return;
    }
    Map<String, Object> begun = JsonFile.read(storage, file);
    if (!(begun.get(FINGERPRINT) instanceof String expected)) {
      throw new CorruptFileException(
          file
              + " holds no fingerprint; copy it again, or begin the run anew in another directory");
    }
    String found = ModelFingerprint.of(teacher.record().model(), weights);
    if (!found.equals(expected)) {
      throw new GraphMismatchException(
          run
              + " was begun with the teacher "
              + begun.get(RUN)
              + " of the fingerprint "
              + expected
              + ", but "
              + teacher.path()
              + " has "
              + found
              + ". If it was trained on or replaced, restore its files, or begin anew in another"
              + " directory.");
    }
  }
}
