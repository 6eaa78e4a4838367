package org.lathe.training.pretrained;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.LocalStorage;

class CheckpointArchiveTest {
  @TempDir private Path root;
  private Path out;

  @BeforeEach
  void createOut() throws IOException {
    out = Files.createDirectory(root.resolve("out"));
  }

  @Test
  void takesWeightsTokenizerAndLicenceAndNothingElse() throws IOException {
    Path jar =
        write(
            zip(
                Map.of(
                    "META-INF/MANIFEST.MF", bytes("Manifest-Version: 1.0"),
                    "LICENSE", bytes("licence"),
                    "META-INF/LICENSE", bytes("licence"),
                    "dev/example/Model.class", bytes("code"),
                    "dev/example/mini.onnx", bytes("weights"),
                    "mini-tokenizer.json", bytes("{}"))));
    extract(jar);
    assertThat(files())
        .isEqualTo(
            Map.of("LICENSE", "licence", "mini.onnx", "weights", "mini-tokenizer.json", "{}"));
  }

  @Test
  void opensAnArchiveInsideAndKeepsTheDirectoriesOfASavedModel() throws IOException {
    byte[] inner =
        zip(
            Map.of(
                "saved_model.pb", bytes("graph"),
                "variables/variables.index", bytes("index"),
                "variables/variables.data-00000-of-00001", bytes("data"),
                "assets/vocab.txt", bytes("[PAD]"),
                "assets/model.json", bytes("{}")));
    Path jar =
        write(zip(Map.of("com/example/model", inner, "com/example/THIRD-PARTY.txt", bytes("t"))));
    extract(jar);
    assertThat(files())
        .isEqualTo(
            Map.of(
                "saved_model.pb", "graph",
                "variables/variables.index", "index",
                "variables/variables.data-00000-of-00001", "data",
                "assets/vocab.txt", "[PAD]",
                "assets/model.json", "{}",
                "THIRD-PARTY.txt", "t"));
  }

  @Test
  void anArchiveInsideAnArchiveInsideStaysClosed() throws IOException {
    byte[] innermost = zip(Map.of("deep.onnx", bytes("weights")));
    Path jar = write(zip(Map.of("a", zip(Map.of("b", innermost)))));
    assertThatThrownBy(() -> extract(jar))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("holds no checkpoint that Lathe reads");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../model.onnx",
        "a/../../model.onnx",
        "/model.onnx",
        "a\\model.onnx",
        "C:model.onnx"
      })
  void namesThatLeadOutAreRefused(String name) throws IOException {
    Path jar = write(zip(Map.of(name, bytes("weights"))));
    assertThatThrownBy(() -> extract(jar))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("'" + name + "', which leads out of it");
    assertThat(files()).isEmpty();
    assertThat(root.resolve("model.onnx")).doesNotExist();
  }

  @Test
  void twoFilesForOnePlaceAreRefused() throws IOException {
    Path jar = write(zip(Map.of("a/model.onnx", bytes("1"), "b/model.onnx", bytes("2"))));
    assertThatThrownBy(() -> extract(jar))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("two files for model.onnx");
  }

  @Test
  void aTokenizerAloneIsNoCheckpoint() throws IOException {
    Path jar = write(zip(Map.of("tokenizer.json", bytes("{}"))));
    assertThatThrownBy(() -> extract(jar))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("among its 1 entries");
  }

  @Test
  void damagedArchivesAreRefused() throws IOException {
    byte[] random = new byte[50_000];
    new Random(1).nextBytes(random);
    byte[] whole = zip(Map.of("model.onnx", random));
    Path cut = write(Arrays.copyOf(whole, whole.length / 2));
    assertThatThrownBy(() -> extract(cut))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("is damaged");
    byte[] flipped = whole.clone();
    flipped[whole.length / 2] ^= 0x55;
    Path changed = Files.write(root.resolve("changed.jar"), flipped);
    Path other = Files.createDirectory(root.resolve("other"));
    assertThatThrownBy(() -> CheckpointArchive.extract(LocalStorage.INSTANCE, changed, other))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("is damaged");
  }

  @Test
  void sizesAreLimited() throws IOException {
    Path jar = write(zip(Map.of("model.onnx", new byte[100_000], "other.txt", bytes("x"))));
    assertThatThrownBy(
            () -> new CheckpointArchive(LocalStorage.INSTANCE, jar, out, 10, 99_999).extract())
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("unpacks to more than 99999 bytes");
    Path other = Files.createDirectory(root.resolve("other"));
    assertThatThrownBy(
            () -> new CheckpointArchive(LocalStorage.INSTANCE, jar, other, 1, 1 << 20).extract())
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("more than 1 entries");
  }

  private List<Path> extract(Path jar) {
    return CheckpointArchive.extract(LocalStorage.INSTANCE, jar, out);
  }

  private Path write(byte[] archive) throws IOException {
    return Files.write(root.resolve("model.jar"), archive);
  }

  private Map<String, String> files() throws IOException {
    Map<String, String> files = new TreeMap<>();
    try (var paths = Files.walk(out)) {
      for (Path path : (Iterable<Path>) paths.filter(Files::isRegularFile)::iterator) {
        files.put(out.relativize(path).toString(), Files.readString(path));
      }
    }
    return files;
  }

  private static byte[] zip(Map<String, byte[]> entries) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      for (Map.Entry<String, byte[]> entry : new TreeMap<>(entries).entrySet()) {
        zip.putNextEntry(new ZipEntry(entry.getKey()));
        zip.write(entry.getValue());
      }
    }
    return bytes.toByteArray();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }
}
