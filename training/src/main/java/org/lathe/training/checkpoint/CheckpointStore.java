package org.lathe.training.checkpoint;

import com.google.common.base.Preconditions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.Manifest;
import org.lathe.training.files.StagedDirectory;
import org.lathe.training.files.Storage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tensorflow.exceptions.TensorFlowException;

/**
 * The checkpoints of one run: {@code RUN/checkpoints/step-N/} with a TensorFlow tensor bundle
 * ({@code variables.*}), {@code state.json} and the manifest. A checkpoint is there completely or
 * not at all, whatever kills the process; the directory scan is the only truth. One writing process
 * per run, see {@link org.lathe.training.files.RunLock}.
 */
public final class CheckpointStore {
  /** How many checkpoints are kept unless asked otherwise. */
  public static final int DEFAULT_KEEP = 2;

  private static final Logger LOG = LoggerFactory.getLogger(CheckpointStore.class);
  private static final String KIND = "checkpoint";
  private static final String VARIABLES = "variables";
  private static final String STATE = "state.json";
  private static final Pattern NAME = Pattern.compile("step-(0|[1-9][0-9]{0,17})");

  /** Space for index, manifest and state on top of the values. */
  private static final long OVERHEAD_BYTES = 1 << 16;

  private static final long OVERHEAD_PER_VARIABLE_BYTES = 512;

  /**
   * A committed checkpoint whose files were found intact.
   *
   * @param step number of optimizer updates done
   * @param state what the trainer stored beside the weights; whole numbers are Long, others Double
   * @param configHash of the configuration that made it
   */
  public record Checkpoint(
      long step, Path directory, Map<String, Object> state, String configHash) {
    public Checkpoint {
      state = Collections.unmodifiableMap(new LinkedHashMap<>(state));
    }
  }

  private final Storage storage;
  private final Path directory;
  private final int keep;
  private final VariableFiles variableFiles;
  private final Set<Path> damaged = new HashSet<>();

  /**
   * Opens a run's checkpoints and removes what killed processes left behind.
   *
   * @param keep how many checkpoints remain after a save, at least 1
   */
  public CheckpointStore(Storage storage, Path runDirectory, int keep) {
    this(storage, runDirectory, keep, VariableFiles.TENSOR_BUNDLE);
  }

  CheckpointStore(Storage storage, Path runDirectory, int keep, VariableFiles variableFiles) {
    Preconditions.checkArgument(keep >= 1, "keep must be at least 1, found %s", keep);
    this.storage = storage;
    this.directory = runDirectory.resolve("checkpoints");
    this.keep = keep;
    this.variableFiles = variableFiles;
    StagedDirectory.sweep(storage, directory);
  }

  /**
   * Saves a checkpoint, then removes old ones. Does nothing when this step is there and intact.
   *
   * @param weights at least one array
   * @param state JSON types only; NaN and infinities come back as strings
   * @param configHash compared by whoever resumes
   * @throws FailedException when the disk is full or fails; older checkpoints are untouched then
   */
  public void save(long step, Weights weights, Map<String, Object> state, String configHash) {
    Preconditions.checkArgument(step >= 0, "step must not be negative, found %s", step);
    Preconditions.checkArgument(!weights.names().isEmpty(), "a checkpoint needs weights");
    Path target = directory.resolve("step-" + step);
    if (storage.exists(target)) {
      try {
        open(target, step);
        // an earlier save may have failed between the rename and this
        IoGuard.run(storage, "force", directory, () -> storage.force(directory));
        return;
      } catch (CorruptFileException e) {
        LOG.warn("replacing a damaged checkpoint: {}", e.getMessage());
        StagedDirectory.discard(storage, target);
      }
    }
    try (StagedDirectory staging = StagedDirectory.begin(storage, target, sizeBytes(weights))) {
      try {
        variableFiles.write(staging.path().resolve(VARIABLES), weights);
      } catch (TensorFlowException e) {
        throw new FailedException(
            "cannot write the variables of "
                + target
                + ": "
                + e.getMessage()
                + "; check free space and permissions, then run the command again",
            e);
      }
      JsonFile.write(storage, staging.path().resolve(STATE), state);
      staging.commit(KIND, facts(step, weights, configHash));
    }
    damaged.remove(target);
    retain(step);
  }

  /**
   * Saves a checkpoint in place of later ones and of one of the same step: for a store that keeps
   * the best model only. Steps come again when a run resumes from an older checkpoint; a kill in
   * here is one more such resume, which passes this step again.
   */
  public void saveOnly(long step, Weights weights, Map<String, Object> state, String configHash) {
    Path same = steps().get(step);
    if (same != null) {
      StagedDirectory.discard(storage, same);
    }
    save(step, weights, state, configHash);
    steps().tailMap(step, false).values().forEach(later -> StagedDirectory.discard(storage, later));
  }

  /**
   * The newest checkpoint whose files are all intact (sizes and SHA-256); empty for a new run.
   * Damaged ones are reported as warnings and passed over.
   *
   * @throws CorruptFileException when there are checkpoints but every one is damaged
   * @throws org.lathe.graphs.errors.FormatTooNewException when the newest was written by a newer
   *     Lathe: resuming from an older one would lose work
   * @throws FailedException when the disk fails, for the same reason
   */
  public Optional<Checkpoint> latest() {
    List<String> problems = new ArrayList<>();
    for (Map.Entry<Long, Path> candidate : steps().descendingMap().entrySet()) {
      Path path = candidate.getValue();
      try {
        return Optional.of(open(path, candidate.getKey()));
      } catch (CorruptFileException e) {
        LOG.warn("skipping checkpoint {}: {}", path.getFileName(), e.getMessage());
        damaged.add(path);
        problems.add(path.getFileName() + " (" + e.getMessage() + ")");
      }
    }
    if (!problems.isEmpty()) {
      throw new CorruptFileException(
          directory
              + " holds "
              + problems.size()
              + " checkpoints and none is intact: "
              + String.join("; ", problems.subList(0, Math.min(problems.size(), 10)))
              + ". Restore one from a copy, or start in a new run directory.");
    }
    return Optional.empty();
  }

  /** All variables of a checkpoint, see {@link #read(Checkpoint, Predicate)}. */
  public Weights read(Checkpoint checkpoint) {
    return read(checkpoint, name -> true);
  }

  /**
   * The variables whose names are wanted, in the order in which they were saved.
   *
   * @throws CorruptFileException when the files do not hold what the manifest says
   */
  public Weights read(Checkpoint checkpoint, Predicate<String> wanted) {
    Path path = checkpoint.directory();
    Manifest manifest = Manifest.read(storage, path);
    Map<String, String> shapes = new LinkedHashMap<>();
    for (Object item : manifest.fact(path, VARIABLES, List.class)) {
      if (!(item instanceof Map<?, ?> variable)
          || !(variable.get("name") instanceof String name)
          || !(variable.get("shape") instanceof List<?> shape)) {
        throw new CorruptFileException(
            path.resolve(Manifest.FILE_NAME) + ": not a name and shape of a variable: " + item);
      }
      if (wanted.test(name)) {
        shapes.put(name, shape.toString());
      }
    }
    Weights weights;
    try {
      weights = variableFiles.read(path.resolve(VARIABLES), List.copyOf(shapes.keySet()));
    } catch (TensorFlowException e) {
      throw new CorruptFileException(
          path + ": TensorFlow cannot read the variables: " + e.getMessage(), e);
    }
    shapes.forEach(
        (name, shape) -> {
          String found = dimensions(weights.get(name)).toString();
          if (!found.equals(shape)) {
            throw new CorruptFileException(
                path + ": variable " + name + " has shape " + found + ", expected " + shape);
          }
        });
    return weights;
  }

  private Checkpoint open(Path path, long step) {
    Manifest manifest = Manifest.verified(storage, path, KIND);
    long found = manifest.fact(path, "step", Long.class);
    if (found != step) {
      throw new CorruptFileException(
          path + " is the checkpoint of step " + found + " under a wrong name; rename it back");
    }
    return new Checkpoint(
        step,
        path,
        JsonFile.read(storage, path.resolve(STATE)),
        manifest.fact(path, "configHash", String.class));
  }

  /** Directories that are named like checkpoints, by step; damaged ones included. */
  private NavigableMap<Long, Path> steps() {
    NavigableMap<Long, Path> steps = new TreeMap<>();
    if (storage.isDirectory(directory)) {
      for (Path path : IoGuard.call(storage, "list", directory, () -> storage.list(directory))) {
        Matcher matcher = NAME.matcher(path.getFileName().toString());
        if (matcher.matches()) {
          steps.put(Long.parseLong(matcher.group(1)), path);
        }
      }
    }
    return steps;
  }

  /**
   * Removes all but the newest up to this step. Those known to be damaged do not count, and those
   * of later steps, from which nobody resumed, are left to be replaced.
   */
  private void retain(long step) {
    NavigableMap<Long, Path> steps;
    try {
      steps = steps();
    } catch (FailedException e) {
      LOG.warn("old checkpoints stay: {}", e.getMessage());
      return;
    }
    int kept = 0;
    for (Path path : steps.headMap(step, true).descendingMap().values()) {
      if (kept >= keep) {
        StagedDirectory.discard(storage, path);
      } else if (!damaged.contains(path)) {
        kept++;
      }
    }
  }

  private static Map<String, Object> facts(long step, Weights weights, String configHash) {
    List<Map<String, Object>> variables = new ArrayList<>();
    for (String name : weights.names()) {
      variables.add(Map.of("name", name, "shape", dimensions(weights.get(name))));
    }
    return Map.of("step", step, "configHash", configHash, VARIABLES, variables);
  }

  private static List<Long> dimensions(Weights.Array array) {
    List<Long> dimensions = new ArrayList<>();
    for (long size : array.shape().asArray()) {
      dimensions.add(size);
    }
    return Collections.unmodifiableList(dimensions);
  }

  private static long sizeBytes(Weights weights) {
    return weights.numValues() * Float.BYTES
        + weights.names().size() * OVERHEAD_PER_VARIABLE_BYTES
        + OVERHEAD_BYTES;
  }
}
