package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
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
  static final String NAME = "teacher.json";

  private static final String FINGERPRINT = "fingerprint";

  private TeacherFile() {}

  /**
   * Keeps the fingerprint at the first start, and compares it at every later one.
   *
   * @param run directory of the pruned run, made here where it is new
   * @param weights of the teacher, encoder and head or the whole language model
   * @throws GraphMismatchException when the run was begun with other weights
   */
  static void require(Storage storage, Path run, RunDirectory teacher, Weights weights) {
    String found = ModelFingerprint.of(teacher.record().model(), weights);
    Path file = run.resolve(NAME);
    if (!storage.exists(file)) {
      IoGuard.run(storage, "create", run, () -> storage.createDirectories(run));
      Map<String, Object> facts = new LinkedHashMap<>();
      facts.put("run", teacher.path().toString());
      facts.put(FINGERPRINT, found);
      JsonFile.replace(storage, file, facts);
      return;
    }
    Object begun = JsonFile.read(storage, file).get(FINGERPRINT);
    if (!found.equals(begun)) {
      throw new GraphMismatchException(
          run
              + " was begun with a teacher of the fingerprint "
              + begun
              + ", but "
              + teacher.path()
              + " has "
              + found
              + " now: it was trained on, or replaced. Give --run another directory, or restore the"
              + " teacher's files.");
    }
  }
}
