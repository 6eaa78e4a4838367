package org.lathe.training.data;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.data.CorpusSplit.Split;
import org.lathe.training.files.Storage;
import org.lathe.training.text.BytePairTrainer;
import org.lathe.training.text.ByteTokenizer;
import org.lathe.training.text.HfTokenizer;
import org.lathe.training.text.Tokenizer;
import org.lathe.training.text.TokenizerStore;
import org.lathe.training.text.WordVocabulary;

/**
 * Text to token files: reads the sources, splits them, trains the tokenizer on the train part and
 * writes {@code train.tokens}, {@code valid.tokens}, {@code test.tokens}, the tokenizer and {@code
 * data.json}. The same sources, configuration and seed give the same bytes.
 */
public final class DataPreparer {
  /**
   * Characters of train text considered for each token of maxTokens: more than any tokenizer here
   * packs into a token on average, so that the cap is reached without looking at all text.
   */
  private static final int MAX_CHARACTERS_PER_TOKEN = 16;

  private final Storage storage;
  private final DataConfig config;
  private final long seed;
  private final Path directory;
  private final ProgressListener listener;

  private DataPreparer(
      Storage storage, DataConfig config, long seed, Path directory, ProgressListener listener) {
    this.storage = storage;
    this.config = config;
    this.seed = seed;
    this.directory = directory;
    this.listener = listener;
  }

  /**
   * Prepares a corpus and opens it. With maxTokens set, train documents are drawn in the random but
   * fixed order of their hashes until the next one would exceed it; valid and test do not depend on
   * maxTokens.
   *
   * @param directory exists and is empty, or holds a tokenizer, which is then used as it is; the
   *     caller makes it a staging directory, syncs and renames it
   * @throws ConfigException when there are too few documents
   * @throws CorruptFileException when a source cannot be used
   * @throws UncheckedIOException when a file cannot be read or written
   */
  public static PreparedData prepare(
      Storage storage, DataConfig config, long seed, Path directory, ProgressListener listener) {
    new DataPreparer(storage, config, seed, directory, listener).run();
    return PreparedData.open(storage, directory);
  }

  private void run() {
    List<Path> sources = paths(config.sources());
    List<Document> documents = read(sources);
    Split split =
        config.hasParts()
            ? new Split(
                documents, read(paths(config.validSources())), read(paths(config.testSources())))
            : CorpusSplit.byDocument(
                documents, config.validFraction(), config.testFraction(), seed);
    List<Document> train = capped(split.train());
    try (Tokenizer tokenizer = tokenizer(train)) {
      ObjectNode summary = new JsonMapper().createObjectNode();
      summary.put("version", 1).put("seed", seed);
      summary
          .putObject("tokenizer")
          .put("kind", tokenizer.kind())
          .put("vocabularySize", tokenizer.vocabularySize())
          .put("fingerprint", tokenizer.fingerprint());
      ObjectNode corpus = summary.putObject("corpus");
      int numUsed = split.train().size() + split.valid().size() + split.test().size();
      corpus.put("documents", config.hasParts() ? numUsed : documents.size());
      corpus.put("duplicates", config.hasParts() ? 0 : documents.size() - numUsed);
      ObjectNode parts = summary.putObject("parts");
      Map<String, int[]> chosen = chosen(tokenizer, train);
      if (config.maxTokens() > 0) {
        train = keep(train, chosen.keySet());
      }
      parts.set("train", write(PreparedData.TRAIN_FILE, tokenizer, train, chosen));
      parts.set("valid", write(PreparedData.VALID_FILE, tokenizer, split.valid(), Map.of()));
      parts.set("test", write(PreparedData.TEST_FILE, tokenizer, split.test(), Map.of()));
      ArrayNode sourceList = summary.putArray("sources");
      for (List<String> part :
          List.of(config.sources(), config.validSources(), config.testSources())) {
        for (Path source : paths(part)) {
          hash(source, String.valueOf(source.getFileName()), sourceList);
        }
      }
      try (OutputStream out = storage.create(directory.resolve(PreparedData.SUMMARY_FILE))) {
        out.write((summary.toPrettyString() + '\n').getBytes(StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write prepared data into " + directory, e);
    }
  }

  private List<Document> read(List<Path> sources) {
    listener.progress("reading text", 0, sources.size());
    List<Document> documents = CorpusReader.read(storage, sources, config.format());
    listener.progress("reading text", sources.size(), sources.size());
    return documents;
  }

  private static List<Path> paths(List<String> sources) {
    return sources.stream().map(Path::of).toList();
  }

  /** The train text that can matter under maxTokens, in the order of the corpus. */
  private List<Document> capped(List<Document> train) {
    if (config.maxTokens() == 0) {
      return train;
    }
    List<String> ids = new ArrayList<>();
    double characters = 0;
    for (Document document : CorpusSplit.byHash(train, seed)) {
      if (characters > (double) config.maxTokens() * MAX_CHARACTERS_PER_TOKEN) {
        break;
      }
      ids.add(document.id());
      characters += document.text().length();
    }
    return keep(train, ids);
  }

  /** Tokens of the train documents that fit maxTokens, by document id; none without a maximum. */
  private Map<String, int[]> chosen(Tokenizer tokenizer, List<Document> train) {
    Map<String, int[]> chosen = new HashMap<>();
    if (config.maxTokens() == 0) {
      return chosen;
    }
    long numTokens = 0;
    for (Document document : CorpusSplit.byHash(train, seed)) {
      int[] tokens = tokenizer.encode(document.text());
      if (numTokens + tokens.length <= config.maxTokens()) {
        chosen.put(document.id(), tokens);
        numTokens += tokens.length;
        listener.progress("choosing train text", numTokens, config.maxTokens());
      } else if (!chosen.isEmpty()) {
        break;
      }
    }
    if (chosen.isEmpty()) {
      throw new ConfigException(
          "data.maxTokens is %d, but no train document is that short; raise it, or separate the documents of a text file by lines %s."
              .formatted(config.maxTokens(), CorpusReader.DOCUMENT_SEPARATOR));
    }
    return chosen;
  }

  private Tokenizer tokenizer(List<Document> train) {
    if (TokenizerStore.exists(storage, directory)) {
      return TokenizerStore.read(storage, directory);
    }
    listener.progress("training the tokenizer", 0, 1);
    Iterable<String> texts = () -> train.stream().map(Document::text).iterator();
    Tokenizer tokenizer =
        switch (config.tokenizer()) {
          case BYTE -> new ByteTokenizer();
          case WORD -> WordVocabulary.build(texts, config.vocabularySize());
          case BPE -> HfTokenizer.fromJson(BytePairTrainer.train(texts, config.vocabularySize()));
        };
    TokenizerStore.write(storage, tokenizer, directory);
    listener.progress("training the tokenizer", 1, 1);
    return tokenizer;
  }

  /** Writes one part and returns its counts. */
  private ObjectNode write(
      String name, Tokenizer tokenizer, List<Document> documents, Map<String, int[]> encoded)
      throws IOException {
    long characters = 0;
    try (TokenFileWriter writer =
        new TokenFileWriter(
            storage,
            directory.resolve(name),
            tokenizer.vocabularySize(),
            tokenizer.fingerprint())) {
      int done = 0;
      for (Document document : documents) {
        int[] tokens = encoded.get(document.id());
        writer.add(document.id(), tokens == null ? tokenizer.encode(document.text()) : tokens);
        characters += document.text().codePointCount(0, document.text().length());
        listener.progress("writing " + name, ++done, documents.size());
      }
      writer.finish();
      return new JsonMapper()
          .createObjectNode()
          .put("file", name)
          .put("documents", writer.numDocuments())
          .put("characters", characters)
          .put("tokens", writer.size())
          .put("tokensPerCharacter", (double) writer.size() / characters);
    }
  }

  private void hash(Path path, String name, ArrayNode sources) throws IOException {
    if (!storage.isDirectory(path)) {
      sources.addObject().put("name", name).put("sha256", TokenFile.sha256(storage, path));
      return;
    }
    for (Path entry : storage.list(path)) {
      String entryName = String.valueOf(entry.getFileName());
      if (!entryName.startsWith(".")) {
        hash(entry, name + "/" + entryName, sources);
      }
    }
  }

  private static List<Document> keep(List<Document> documents, Collection<String> ids) {
    Set<String> kept = Set.copyOf(ids);
    return documents.stream().filter(document -> kept.contains(document.id())).toList();
  }
}
