package org.lathe.training.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.LatheException;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.text.TokenizerKind;

class CorpusTest {
  @TempDir Path directory;

  @Test
  void textFilesAreCutAtSeparatorLinesOnly() throws Exception {
    Path file =
        text(
            "wiki.txt",
            "a <|endoftext|>\nb\n<|endoftext|>\nc\r\n<|endoftext|>\r\n \n<|endoftext|>\n<|endoftext|>x\n<|endoftext|>");
    assertThat(read(file))
        .containsExactly(
            new Document("wiki.txt#0", "a <|endoftext|>\nb\n"),
            new Document("wiki.txt#1", "c\r\n"),
            new Document("wiki.txt#3", "<|endoftext|>x\n"));
    assertThat(read(text("one.txt", "all\nof it")))
        .containsExactly(new Document("one.txt", "all\nof it"));
  }

  @Test
  void packedFilesDirectoriesAndArchives() throws Exception {
    Path packed = directory.resolve("p.txt.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
      out.write("packed".getBytes(StandardCharsets.UTF_8));
    }
    Path tree = Files.createDirectories(directory.resolve("tree/b"));
    Files.writeString(tree.resolve("z.txt"), "in b");
    Files.writeString(tree.resolveSibling("a.txt"), "in tree");
    Files.writeString(tree.resolveSibling(".hidden"), "no");
    Path jar =
        jar(
            "x-sources.jar",
            Map.of(
                "b/B.java", "class B",
                "a/A.java", "class A",
                "a/package-info.java", "package a",
                "module-info.java", "module m",
                "a/data.bin", "\u0000"));
    assertThat(
            CorpusReader.read(
                LocalStorage.INSTANCE,
                List.of(packed, directory.resolve("tree"), jar),
                CorpusFormat.PLAIN))
        .containsExactly(
            new Document("p.txt.gz", "packed"),
            new Document("tree/a.txt", "in tree"),
            new Document("tree/b/z.txt", "in b"),
            new Document("x-sources.jar!a/A.java", "class A"),
            new Document("x-sources.jar!b/B.java", "class B"));
    assertThat(
            CorpusReader.read(LocalStorage.INSTANCE, List.of(packed, packed), CorpusFormat.PLAIN))
        .extracting(Document::id)
        .containsExactly("p.txt.gz", "p.txt.gz@2");
  }

  @Test
  void wikiTextArticlesBeginAtTheirTitlesAndLoseNoLine() throws Exception {
    Path file = directory.resolve("wiki.tokens");
    String first = " \n = Lobster = \n \n A lobster . \n \n = = Claws = = \n Two = 2 . \n";
    String second = " = Train = \n \n On rails . \n";
    Files.writeString(file, first + second);
    assertThat(CorpusReader.read(LocalStorage.INSTANCE, List.of(file), CorpusFormat.WIKITEXT))
        .containsExactly(
            new Document("wiki.tokens#0", first), new Document("wiki.tokens#1", second));
  }

  @Test
  void aCorpusMayComeInParts() throws Exception {
    DataConfig config =
        new DataConfig(
            List.of(text("train.txt", "a b a a\n").toString()),
            List.of(text("valid.txt", "b c\n").toString()),
            List.of(text("test.txt", "a a\n").toString()),
            CorpusFormat.PLAIN,
            TokenizerKind.WORD,
            10,
            0,
            0,
            0);
    Path parts = Files.createDirectory(directory.resolve("parts"));
    try (PreparedData data = prepare(config, parts)) {
      assertThat(data.train().size()).isEqualTo(5);
      assertThat(data.valid().size()).isEqualTo(3);
      int[] test = new int[3];
      data.test().read(0, test, 0, 3);
      assertThat(data.tokenizer().decode(test)).isEqualTo("a a\n");
    }
  }

  @Test
  void badBytesAreNamedWithTheirOffset() throws Exception {
    Path bad = directory.resolve("bad.txt");
    Files.write(bad, new byte[] {'a', (byte) 0xC3, (byte) 0xA9, (byte) 0xC0, 'b'});
    assertThatThrownBy(() -> read(bad))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("bad.txt")
        .hasMessageContaining("offset 3 (0xc0)");
    Files.write(bad, new byte[] {'a', (byte) 0xE2, (byte) 0x82});
    assertThatThrownBy(() -> read(bad)).hasMessageContaining("offset 1 ");
  }

  @Test
  void missingEmptyAndDamagedSourcesAreNamed() throws Exception {
    assertThatThrownBy(() -> read(directory.resolve("none")))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("does not exist");
    Path blank = text("blank.txt", " \n");
    assertThatThrownBy(() -> read(blank)).hasMessageContaining("no document");
    for (String name : List.of("a.jar", "a.gz")) {
      Path foreign = text(name, "certainly neither zip nor gzip");
      assertThatThrownBy(() -> read(foreign)).isInstanceOf(CorruptFileException.class);
    }
    byte[] jar = Files.readAllBytes(jar("ok.jar", Map.of("A.java", "class A {}".repeat(50))));
    Path cut = directory.resolve("cut.jar");
    for (int length = 0; length < jar.length; length++) {
      Files.write(cut, java.util.Arrays.copyOf(jar, length));
      try {
        assertThat(read(cut)).hasSize(1);
      } catch (LatheException e) {
        assertThat(e).isInstanceOf(CorruptFileException.class);
      }
    }
  }

  @Test
  void limitsHoldAtTheLimitAndOneBeyond() throws Exception {
    Path file = text("f.txt", "12345");
    Path jar = jar("j.jar", Map.of("A.java", "12345", "b", "1234567"));
    read(file, new CorpusLimits(5, 9, 9, 99, 9));
    assertTooLarge(file, new CorpusLimits(4, 9, 9, 99, 9));
    read(jar, new CorpusLimits(1, 7, 2, 12, 9));
    assertTooLarge(jar, new CorpusLimits(1, 6, 2, 12, 9));
    assertTooLarge(jar, new CorpusLimits(1, 7, 1, 12, 9));
    assertTooLarge(jar, new CorpusLimits(1, 7, 2, 11, 9));
    Path deep = Files.createDirectories(directory.resolve("d/e"));
    Files.writeString(deep.resolve("x"), "x");
    read(directory.resolve("d"), new CorpusLimits(9, 9, 9, 99, 2));
    assertTooLarge(directory.resolve("d"), new CorpusLimits(9, 9, 9, 99, 1));
  }

  @Test
  void splitKeepsDocumentsWholeAndDropsDuplicates() {
    List<Document> documents = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      documents.add(new Document("d" + i, "text " + i % 90));
    }
    CorpusSplit.Split split = CorpusSplit.byDocument(documents, 0.1, 0.2, 7);
    assertThat(split.valid()).hasSize(9);
    assertThat(split.test()).hasSize(18);
    assertThat(split.train()).hasSize(63);
    Set<String> texts = new HashSet<>();
    for (List<Document> part : List.of(split.train(), split.valid(), split.test())) {
      part.forEach(document -> assertThat(texts.add(document.text())).isTrue());
      assertThat(part).isSortedAccordingTo((a, b) -> documents.indexOf(a) - documents.indexOf(b));
    }
    List<Document> turned = new ArrayList<>(documents.subList(0, 90));
    Collections.shuffle(turned, new Random(1));
    assertThat(CorpusSplit.byDocument(turned, 0.1, 0.2, 7).test())
        .containsExactlyInAnyOrderElementsOf(split.test());
    assertThat(CorpusSplit.byDocument(documents, 0.1, 0.2, 8)).isNotEqualTo(split);
    assertThatThrownBy(() -> CorpusSplit.byDocument(documents.subList(0, 2), 0.1, 0.1, 7))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("2 different documents");
  }

  @Test
  void preparingIsRepeatableAndCountsWhatItWrites() throws Exception {
    Path source = corpus();
    for (TokenizerKind kind : TokenizerKind.values()) {
      DataConfig config = DataConfig.cut(List.of(source.toString()), kind, 300, 0.1, 0.1, 0);
      Path first = Files.createDirectory(directory.resolve(kind.word() + 1));
      Path second = Files.createDirectory(directory.resolve(kind.word() + 2));
      try (PreparedData data = prepare(config, first);
          PreparedData again = prepare(config, second)) {
        assertThat(data.tokenizer().kind()).isEqualTo(kind.word());
        assertThat(data.train().sha256()).isEqualTo(again.train().sha256());
        JsonNode summary = new ObjectMapper().readTree(first.resolve("data.json").toFile());
        assertThat(summary.at("/parts/train/tokens").asLong()).isEqualTo(data.train().size());
        assertThat(summary.at("/parts/test/documents").asInt())
            .isEqualTo(data.test().numDocuments())
            .isEqualTo(5);
        assertThat(summary.at("/sources/0/sha256").asText()).hasSize(64);
        int[] tokens = new int[(int) (data.test().documentStart(1))];
        data.test().read(0, tokens, 0, tokens.length);
        assertThat(data.tokenizer().decode(tokens)).startsWith("number ");
      }
      for (Path file : LocalStorage.INSTANCE.list(first)) {
        assertThat(file).hasSameBinaryContentAs(second.resolve(file.getFileName()));
        assertThat(Files.readString(file, StandardCharsets.ISO_8859_1))
            .doesNotContain(directory.toString());
      }
    }
  }

  @Test
  void maxTokensCapsTrainOnly() throws Exception {
    Path source = corpus();
    Path all = Files.createDirectory(directory.resolve("all"));
    Path few = Files.createDirectory(directory.resolve("few"));
    DataConfig config =
        DataConfig.cut(List.of(source.toString()), TokenizerKind.BYTE, 0, 0.1, 0.1, 0);
    DataConfig capped =
        DataConfig.cut(List.of(source.toString()), TokenizerKind.BYTE, 0, 0.1, 0.1, 200);
    try (PreparedData full = prepare(config, all);
        PreparedData part = prepare(capped, few)) {
      assertThat(full.train().size()).isGreaterThan(500);
      assertThat(part.train().size()).isBetween(150L, 200L);
      assertThat(part.valid().sha256()).isEqualTo(full.valid().sha256());
      assertThat(part.test().sha256()).isEqualTo(full.test().sha256());
    }
    DataConfig tiny =
        DataConfig.cut(List.of(source.toString()), TokenizerKind.BYTE, 0, 0.1, 0.1, 1);
    Path none = Files.createDirectory(directory.resolve("none"));
    assertThatThrownBy(() -> prepare(tiny, none))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("maxTokens");
  }

  @Test
  void mixedUpFilesAreRefused() throws Exception {
    DataConfig bytes =
        DataConfig.cut(List.of(corpus().toString()), TokenizerKind.BYTE, 0, 0.1, 0.1, 0);
    prepare(bytes, directory.resolve(Files.createDirectory(directory.resolve("m")))).close();
    DataConfig words =
        DataConfig.cut(List.of(corpus().toString()), TokenizerKind.WORD, 50, 0.1, 0.1, 0);
    Path other = Files.createDirectory(directory.resolve("o"));
    prepare(words, other).close();
    Files.copy(
        directory.resolve("m/valid.tokens"),
        other.resolve("valid.tokens"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    assertThatThrownBy(() -> PreparedData.open(LocalStorage.INSTANCE, other))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("valid.tokens was made by the tokenizer");
  }

  @Test
  void configurationsThatCannotBeMeantAreRefused() {
    List<String> sources = List.of("x");
    assertThatThrownBy(() -> DataConfig.cut(List.of(), TokenizerKind.BYTE, 0, 0.1, 0.1, 0))
        .isInstanceOf(ConfigException.class);
    assertThatThrownBy(() -> DataConfig.cut(sources, TokenizerKind.BPE, 255, 0.1, 0.1, 0))
        .isInstanceOf(ConfigException.class);
    assertThatThrownBy(() -> DataConfig.cut(sources, TokenizerKind.BYTE, 0, 0.5, 0.5, 0))
        .isInstanceOf(ConfigException.class);
    assertThatThrownBy(() -> DataConfig.cut(sources, TokenizerKind.BYTE, 0, Double.NaN, 0.5, 0))
        .isInstanceOf(ConfigException.class);
    assertThatThrownBy(() -> DataConfig.cut(sources, TokenizerKind.BYTE, 0, 0.1, 0.1, -1))
        .isInstanceOf(ConfigException.class);
  }

  private static PreparedData prepare(DataConfig config, Path target) {
    return DataPreparer.prepare(LocalStorage.INSTANCE, config, 4, target, ProgressListener.NONE);
  }

  private Path corpus() throws IOException {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 50; i++) {
      text.append("number ").append(i).append(" of fifty lines\n<|endoftext|>\n");
    }
    return text("corpus.txt", text.toString());
  }

  private Path text(String name, String content) throws IOException {
    return Files.writeString(directory.resolve(name), content);
  }

  private Path jar(String name, Map<String, String> entries) throws IOException {
    Path jar = directory.resolve(name);
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      for (Map.Entry<String, String> entry : new LinkedHashMap<>(entries).entrySet()) {
        zip.putNextEntry(new ZipEntry(entry.getKey()));
        zip.write(entry.getValue().getBytes(StandardCharsets.UTF_8));
      }
    }
    return jar;
  }

  private static List<Document> read(Path source) {
    return CorpusReader.read(LocalStorage.INSTANCE, List.of(source), CorpusFormat.PLAIN);
  }

  private static List<Document> read(Path source, CorpusLimits limits) {
    return CorpusReader.read(LocalStorage.INSTANCE, List.of(source), limits, CorpusFormat.PLAIN);
  }

  private static void assertTooLarge(Path source, CorpusLimits limits) {
    assertThatThrownBy(() -> read(source, limits))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("exceeds the limit");
  }
}
