package org.lathe.cli.workflow;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.hash.Hashing;
import com.google.common.io.ByteStreams;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.lathe.cli.config.Overrides;
import org.lathe.cli.config.PruningSection;
import org.lathe.cli.config.RunConfig;
import org.lathe.cli.config.RunConfigReader;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.plan.PruningPlanFile;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.data.PreparedData;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.RecordFile;
import org.lathe.training.files.Storage;
import org.lathe.training.text.TokenizerDefinition;
import org.tensorflow.TensorFlow;

/** One run on disk: its record, checkpoints, data and model weights. */
final class RunDirectory {
  private static final String RECORD_FILE = "run.json";
  private static final RecordFile<RunRecord> RECORD =
      new RecordFile<>("lathe-run", 1, RunRecord.class);

  /** What pruning kept. */
  static final String PLAN_FILE = "plan.json";

  /** Where the stage lies that learns what to keep. */
  static final String PRUNING = "pruning";

  /** Where the model lies that was best on the validation files of a task. */
  static final String BEST = "best";

  private static final String TOKENIZER_FILE = TokenizerDefinition.JSON_FILE;

  /** A definition of a vocabulary of any size that the tokenizer library reads. */
  private static final long MAX_TOKENIZER_BYTES = 64L << 20;

  /** Model variables in a checkpoint carry this prefix; optimizer slots and gates do not. */
  static final String MODEL_PREFIX = "decoder/";

  private final Storage storage;
  private final Path path;
  private final RunRecord record;

  private RunDirectory(Storage storage, Path path, RunRecord record) {
    this.storage = storage;
    this.path = path;
    this.record = record;
  }

  /** Whether a run lies here. */
  static boolean exists(Storage storage, Path path) {
    return storage.exists(path.resolve(RECORD_FILE));
  }

  /**
   * Opens a run.
   *
   * @throws CorruptFileException when there is none or it is damaged
   */
  static RunDirectory open(Storage storage, Path path) {
    if (!exists(storage, path)) {
      throw new CorruptFileException(
          path
              + " is not a run: it has no "
              + RECORD_FILE
              + ". Name the directory that 'lathe train --run' or 'lathe prune --run' wrote.");
    }
    Path file = path.resolve(RECORD_FILE);
    return new RunDirectory(
        storage, path, IoGuard.call(storage, "read", file, () -> RECORD.read(storage, file)));
  }

  /**
   * Starts a run here, or continues the one that was started with the same record.
   *
   * @throws GraphMismatchException when another run lies here
   */
  static RunDirectory startOrContinue(Storage storage, Path path, RunRecord record) {
    if (exists(storage, path)) {
      RunDirectory found = open(storage, path);
      if (!found.record.configHash().equals(record.configHash())) {
        throw new GraphMismatchException(
            path
                + " holds a run of another configuration or other data (hash "
                + found.record.configHash()
                + ", this one is "
                + record.configHash()
                + "). Give --run another directory, or repeat the run's own configuration.");
      }
      return found;
    }
    RunDirectory fresh = new RunDirectory(storage, path, record);
    fresh.write();
    return fresh;
  }

  private void write() {
    Path file = path.resolve(RECORD_FILE);
    IoGuard.run(
        storage,
        "write",
        file,
        () -> {
          storage.createDirectories(path);
          RECORD.write(storage, file, record);
        });
  }

  /**
   * A hash of what decides a run's numbers.
   *
   * @param parentHash of the teacher's run, or "" for a trained run, which pruning keys do not
   *     touch
   */
  static String configHash(RunConfig config, String dataSha256, String parentHash) {
    ObjectNode tree = RunConfigReader.toJson(config).deepCopy();
    // where the data lies does not matter, what it holds does; the others act on finished weights
    tree.remove(List.of("data", "evaluation", "export"));
    if (parentHash.isEmpty()) {
      tree.remove("pruning");
    }
    if (config.model().cutoffs().isEmpty() && tree.get("model") instanceof ObjectNode model) {
      // without clusters these keys say nothing, and runs begun before they were there go on
      model.remove(List.of("cutoffs", "factor", "tiedProjections", "softmaxDropout"));
    }
    if (config.memory().keySize() == 0 && tree.get("memory") instanceof ObjectNode memory) {
      // the same for runs begun before keys could be learned
      memory.remove("keySize");
    }
    if (config.pruning().distillation().taskWeight() == 1
        && tree.path("pruning").get("distillation") instanceof ObjectNode distillation) {
      // the same for runs begun when this was the only weight
      distillation.remove("taskWeight");
    }
    if (tree.get("pruning") instanceof ObjectNode pruning) {
      // how near a measured speed-up must be; RUN/speedup.json keeps what was found
      pruning.remove("speedupTolerance");
      // where tables lie does not matter; RUN keeps their times, and refuses others
      pruning.remove("latencyTables");
      if (!config.pruning().latencyTables().isEmpty()) {
        pruning.put("timedElsewhere", true);
      }
      // the same for runs begun before there was another method
      if (config.pruning().method() != PruningSection.Method.BLOCK) {
        pruning.remove("blockPenalty");
      }
      if (config.pruning().method() != PruningSection.Method.TINYBERT) {
        pruning.remove("studentLayers");
      }
      if (config.pruning().importanceStart() == 1) {
        pruning.remove("importanceStart");
      }
      if (config.pruning().studentFrom().isBlank()) {
        pruning.remove("studentFrom");
      }
      if (config.pruning().continueFrom().isBlank()) {
        pruning.remove("continueFrom");
      }
      if (config.pruning().method() == PruningSection.Method.COFI) {
        pruning.remove(List.of("method", "planFrom"));
        if (config.pruning().initialization() == PruningSection.Initialization.UNIFORM) {
          pruning.remove(List.of("initialization", "importanceBatches"));
        }
      }
    }
    if (!config.task().usesEncoder()) {
      // the same for runs begun before there were tasks
      tree.remove("task");
    } else if (config.task().minTokenCount() == 0 && tree.get("task") instanceof ObjectNode task) {
      task.remove("minTokenCount");
    }
    if (!config.recurrence().present()) {
      // the same for runs begun before there was recurrence
      tree.remove("recurrence");
    } else if (tree.get("recurrence") instanceof ObjectNode recurrence) {
      recurrence.remove(List.of("testMemoryLength", "testCompressedLength"));
    }
    String decisive = tree + dataSha256 + parentHash;
    return Hashing.sha256().hashString(decisive, StandardCharsets.UTF_8).toString();
  }

  static Map<String, String> versions() {
    Map<String, String> versions = new TreeMap<>();
    String lathe = RunDirectory.class.getPackage().getImplementationVersion();
    versions.put("lathe", lathe == null ? "development" : lathe);
    versions.put("tensorflow", TensorFlow.version());
    versions.put("java", System.getProperty("java.version", ""));
    versions.put(
        "system", System.getProperty("os.name", "") + " " + System.getProperty("os.arch", ""));
    return versions;
  }

  Path path() {
    return path;
  }

  /**
   * @param ownData of this run
   * @param data of another corpus
   * @throws GraphMismatchException when another tokenizer made its tokens
   */
  void requireTokenizer(PreparedData ownData, PreparedData data) {
    String expected = ownData.tokenizer().fingerprint();
    String found = data.tokenizer().fingerprint();
    if (!found.equals(expected)) {
      throw new GraphMismatchException(
          "the other data was made by the tokenizer "
              + found
              + ", "
              + path
              + " reads the tokens of "
              + expected
              + ". Prepare it with --set data.tokenizerFrom="
              + record.dataDirectory());
    }
  }

  /** Where its files are kept. */
  Storage storage() {
    return storage;
  }

  RunRecord record() {
    return record;
  }

  RunConfig config(Overrides overrides) {
    return RunConfigReader.fromJson(record.config(), overrides);
  }

  CheckpointStore checkpoints() {
    return new CheckpointStore(storage, path, config(Overrides.NONE).training().keepCheckpoints());
  }

  /**
   * Refuses what only a model with absolute positions can do.
   *
   * @param what cannot be done with a recurrent model, such as "exported"
   */
  void requireNotRecurrent(String what) {
    if (config(Overrides.NONE).recurrence().present()) {
      throw new ConfigException(
          path
              + " holds a recurrent model (recurrence.memoryLength), which cannot be "
              + what
              + "; it can be evaluated. Train a model with recurrence.memoryLength=0 instead.");
    }
  }

  /** The newest checkpoint's model. */
  Weights modelWeights() {
    CheckpointStore store = checkpoints();
    Optional<CheckpointStore.Checkpoint> latest = store.latest();
    if (latest.isEmpty()) {
      throw new CorruptFileException(
          path + " has no checkpoint yet. Run the command that made it again; it resumes.");
    }
    return store.read(latest.get(), name -> name.startsWith(MODEL_PREFIX));
  }

  /** Definition of an encoder's tokenizer. */
  String tokenizerJson() {
    Path file = path.resolve(TOKENIZER_FILE);
    return IoGuard.call(
        storage,
        "read",
        file,
        () -> {
          try (InputStream in = storage.open(file)) {
            return new String(
                ByteStreams.toByteArray(ByteStreams.limit(in, MAX_TOKENIZER_BYTES)),
                StandardCharsets.UTF_8);
          }
        });
  }

  /** Writes it once. */
  void writeTokenizer(String json) {
    Path file = path.resolve(TOKENIZER_FILE);
    if (storage.exists(file)) {
      return;
    }
    IoGuard.run(
        storage,
        "write",
        file,
        () -> {
          Path staging = file.resolveSibling(TOKENIZER_FILE + ".staging");
          storage.delete(staging);
          try (OutputStream out = storage.create(staging)) {
            out.write(json.getBytes(StandardCharsets.UTF_8));
          }
          storage.force(staging);
          storage.move(staging, file);
        });
  }

  /** What pruning keeps. */
  void writePlan(PruningPlan plan) {
    Path file = path.resolve(PLAN_FILE);
    IoGuard.run(storage, "write", file, () -> PruningPlanFile.write(storage, file, plan));
  }

  /**
   * An encoder and its head: those that were best on the validation files, else the newest.
   *
   * @param head of the run's task
   */
  Weights encoderWeights(HeadConfig head) {
    CheckpointStore best = new CheckpointStore(storage, path.resolve(BEST), 1);
    CheckpointStore store = best.latest().isPresent() ? best : checkpoints();
    CheckpointStore.Checkpoint checkpoint =
        store
            .latest()
            .orElseThrow(
                () ->
                    new CorruptFileException(
                        path
                            + " has no checkpoint yet. Run the command that made it again; it"
                            + " resumes."));
    return store.read(
        checkpoint,
        name ->
            name.startsWith(Encoder.PREFIX + "/") || name.startsWith(head.kind().prefix() + "/"));
  }

  /**
   * The prepared data that the run was made with.
   *
   * @throws GraphMismatchException when the data has changed since
   */
  PreparedData data() {
    PreparedData data = PreparedData.open(storage, Path.of(record.dataDirectory()));
    if (!data.train().sha256().equals(record.dataSha256())) {
      data.close();
      throw new GraphMismatchException(
          record.dataDirectory()
              + " has changed since "
              + path
              + " was made with it (expected training tokens with sha256 "
              + record.dataSha256()
              + "). Prepare the data again with the same sources, configuration and seed.");
    }
    return data;
  }
}
