package org.lathe.cli.workflow;

import com.google.common.base.Throwables;
import com.google.common.collect.ImmutableList;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.lathe.cli.config.RunConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.data.DataConfig;
import org.lathe.training.data.DataPreparer;
import org.lathe.training.data.PreparedData;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.StagedDirectory;
import org.lathe.training.files.Storage;
import org.lathe.training.text.Tokenizer;
import org.lathe.training.text.TokenizerStore;

/** {@code lathe prepare}: text to vocabulary and token files, published as one directory. */
final class PrepareWorkflow {
  static final String MANIFEST_KIND = "prepared-data";

  /** Token files, tokenizer and summary together take less than the text they come from. */
  private static final double DISK_PER_SOURCE_BYTE = 2;

  private PrepareWorkflow() {}

  static Outcome run(PrepareRequest request, RunContext context) {
    DataConfig data = TaskConfigs.data(request.config());
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("directory", request.out().toString());
    facts.put("sources", data.sources());
    if (context.dryRun()) {
      return Outcome.done(
          facts,
          ImmutableList.of(
              "would read " + data.sources().size() + " sources and write " + request.out()));
    }
    prepare(request.config(), request.out(), context);
    try (PreparedData prepared = PreparedData.open(context.storage(), request.out())) {
      facts.put("vocabularySize", prepared.tokenizer().vocabularySize());
      facts.put("trainTokens", prepared.train().size());
      facts.put("validTokens", prepared.valid().size());
      facts.put("testTokens", prepared.test().size());
      return Outcome.done(
          facts,
          ImmutableList.of(
              String.format(
                  "%s: %,d train, %,d valid, %,d test tokens, vocabulary %,d",
                  request.out(),
                  prepared.train().size(),
                  prepared.valid().size(),
                  prepared.test().size(),
                  prepared.tokenizer().vocabularySize()),
              "next: lathe train CONFIG --set data.directory="
                  + request.out()
                  + " --run runs/first"));
    }
  }

  /** Writes prepared data to a directory that does not exist yet. */
  static void prepare(RunConfig config, Path out, RunContext context) {
    Storage storage = context.storage();
    if (storage.exists(out)) {
      throw new ConfigException(
          out
              + " exists already; prepared data is never changed in place. Name another --out or"
              + " delete the directory.");
    }
    DataConfig data = TaskConfigs.data(config);
    List<String> sources = new ArrayList<>(data.sources());
    sources.addAll(data.validSources());
    sources.addAll(data.testSources());
    long estimate = (long) (DISK_PER_SOURCE_BYTE * sourceBytes(storage, sources));
    try (StagedDirectory staged = StagedDirectory.begin(storage, out, estimate);
        Progress progress = new Progress(context.console())) {
      takeTokenizer(config, staged.path(), storage);
      DataPreparer.prepare(storage, data, config.seed(), staged.path(), progress).close();
      staged.commit(MANIFEST_KIND, Map.of());
    } catch (UncheckedIOException e) {
      throw new FailedException(
          out
              + " was not written: "
              + e.getMessage()
              + ": "
              + Throwables.getRootCause(e).getMessage()
              + "; check free space, permissions and the disk, then run the command again",
          e);
    }
  }

  /** Data for a model of another corpus must have that corpus's tokenizer. */
  private static void takeTokenizer(RunConfig config, Path directory, Storage storage) {
    if (config.data().tokenizerFrom().isBlank()) {
      return;
    }
    Path from = Path.of(config.data().tokenizerFrom());
    if (!TokenizerStore.exists(storage, from)) {
      throw new ConfigException(
          "data.tokenizerFrom is "
              + from
              + ", which holds no tokenizer; name a directory that lathe prepare has written");
    }
    try (Tokenizer tokenizer = TokenizerStore.read(storage, from)) {
      TokenizerStore.write(storage, tokenizer, directory);
    }
  }

  private static long sourceBytes(Storage storage, List<String> sources) {
    long bytes = 0;
    for (String source : sources) {
      Path path = Path.of(source);
      if (storage.exists(path) && !storage.isDirectory(path)) {
        bytes += IoGuard.call(storage, "ask for the size of", path, () -> storage.size(path));
      }
    }
    return bytes;
  }
}
