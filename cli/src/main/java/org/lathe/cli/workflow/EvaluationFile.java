package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.Storage;
import org.lathe.training.memory.MemoryMixing;

/**
 * RUN/evaluation.json: what the last evaluation found, and every mixing that was tuned so far, by
 * memory. Measurements on the data of another directory go to RUN/evaluation-NAME.json; they start
 * with the mixings of the run's own data.
 */
final class EvaluationFile {
  private static final String BASE = "evaluation";
  private static final String MIXING = "mixing";

  private final Storage storage;
  private final Path file;
  private final Map<String, Object> mixings = new LinkedHashMap<>();

  private EvaluationFile(Storage storage, Path file) {
    this.storage = storage;
    this.file = file;
  }

  /**
   * Reads the known mixings.
   *
   * @param data of another corpus, or nothing
   * @throws ConfigException when something else lies there
   */
  static EvaluationFile open(Storage storage, Path run, Optional<Path> data) {
    Path own = run.resolve(BASE + ".json");
    Path file =
        data.map(
                path ->
                    run.resolve(
                        BASE + "-" + path.toAbsolutePath().normalize().getFileName() + ".json"))
            .orElse(own);
    EvaluationFile evaluation = new EvaluationFile(storage, file);
    evaluation.readMixings(storage.exists(file) ? file : own);
    return evaluation;
  }

  private void readMixings(Path known) {
    if (!storage.exists(known)) {
      return;
    }
    if (JsonFile.read(storage, known).get(MIXING) instanceof Map<?, ?> found) {
      found.forEach((name, value) -> mixings.put(String.valueOf(name), value));
      return;
    }
    throw new ConfigException(
        known
            + " was not written by lathe evaluate: it has no 'mixing'. Delete it and tune again.");
  }

  /** What was chosen for a memory, if it has been tuned. */
  @Nullable TunedMemory tuned(String name) {
    Object facts = mixings.get(name);
    return facts == null ? null : MixingFacts.parseTuned(facts, file.toString());
  }

  /** The mixing alone. */
  @Nullable MemoryMixing mixing(String name) {
    @Nullable TunedMemory tuned = tuned(name);
    return tuned == null ? null : tuned.mixing();
  }

  void put(String name, TunedMemory tuned) {
    mixings.put(name, MixingFacts.of(tuned));
  }

  Map<String, Object> mixings() {
    return mixings;
  }

  /** Replaces the file by these facts and the mixings, which are added to them. */
  void write(Map<String, Object> facts) {
    facts.put(MIXING, mixings);
    Path staging = file.resolveSibling(file.getFileName() + ".staging");
    IoGuard.run(storage, "replace", staging, () -> storage.delete(staging));
    JsonFile.write(storage, staging, facts);
    IoGuard.run(
        storage,
        "write",
        file,
        () -> {
          storage.force(staging);
          storage.move(staging, file);
        });
  }
}
