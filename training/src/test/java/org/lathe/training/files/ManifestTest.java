package org.lathe.training.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FormatTooNewException;

class ManifestTest {
  private static final String HASH = "0".repeat(64);

  @TempDir Path root;
  private final Storage disk = LocalStorage.INSTANCE;
  private Path directory;

  @BeforeEach
  void commit() throws IOException {
    directory = root.resolve("7");
    try (StagedDirectory staged = StagedDirectory.begin(disk, directory, 100)) {
      Files.createDirectories(staged.path().resolve("sub"));
      Files.writeString(staged.path().resolve("sub/data"), "payload");
      staged.commit("model", Map.of("name", "caf\u00e9"));
    }
  }

  @Test
  void bitsOfTheManifestAreGuarded() throws IOException {
    Path file = directory.resolve(Manifest.FILE_NAME);
    byte[] bytes = Files.readAllBytes(file);
    for (int bit = 0; bit < bytes.length * 8; bit += 7) {
      byte[] flipped = bytes.clone();
      flipped[bit / 8] ^= (byte) (1 << (bit % 8));
      Files.write(file, flipped);
      assertThatThrownBy(() -> Manifest.read(disk, directory))
          .as("bit %s", bit)
          .isInstanceOf(CorruptFileException.class)
          .hasMessageContaining(file.toString());
    }
  }

  @Test
  void namesTheDamagedFile() throws IOException {
    Path data = directory.resolve("sub/data");
    Manifest manifest = Manifest.read(disk, directory);
    Files.writeString(data, "paYload");
    assertThatThrownBy(() -> manifest.verify(disk, directory))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining(data + ": SHA-256");
    Files.writeString(data, "payloa");
    assertThatThrownBy(() -> manifest.verify(disk, directory))
        .hasMessageContaining(data + ": has 6 bytes, MANIFEST.json expects 7");
    Files.delete(data);
    assertThatThrownBy(() -> manifest.verify(disk, directory))
        .hasMessageContaining(data + ": is missing");
    Files.createDirectory(data);
    assertThatThrownBy(() -> manifest.verify(disk, directory))
        .hasMessageContaining(data + ": is missing");
  }

  @Test
  void refusesLinksAndForeignDirectories() throws IOException {
    Files.move(directory.resolve("sub"), root.resolve("elsewhere"));
    Files.createSymbolicLink(directory.resolve("sub"), root.resolve("elsewhere"));
    assertThatThrownBy(() -> Manifest.verified(disk, directory, "model"))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("symbolic link");
    assertThatThrownBy(() -> Manifest.verified(disk, directory, "checkpoint"))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("is a model, expected a checkpoint");
    assertThatThrownBy(() -> Manifest.read(disk, root.resolve("elsewhere")))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("MANIFEST.json is missing");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../secret",
        "a/../../secret",
        "/etc/passwd",
        "..",
        ".",
        "",
        "./a",
        "a//b",
        "a/",
        "a/./b",
        "C:/x",
        "..\\secret",
        "a\u0000b"
      })
  void pathsStayInside(String path) {
    Path hostile = root.resolve("hostile");
    write(hostile, 1, List.of(new Manifest.Entry(path, 1, HASH)));
    assertThatThrownBy(() -> Manifest.read(disk, hostile))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("not a plain one inside");
  }

  @Test
  void refusesDuplicatesAndNegativeSizes() {
    Manifest.Entry entry = new Manifest.Entry("a", 1, HASH);
    Path twice = root.resolve("twice");
    write(twice, 1, List.of(entry, entry));
    assertThatThrownBy(() -> Manifest.read(disk, twice))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("'a' twice");
    Path negative = root.resolve("negative");
    write(negative, 1, List.of(new Manifest.Entry("a", -1, HASH)));
    assertThatThrownBy(() -> Manifest.read(disk, negative))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("negative: -1");
  }

  @Test
  void refusesNewerAndImpossibleVersions() {
    Path newer = root.resolve("newer");
    write(newer, 2, List.of());
    assertThatThrownBy(() -> Manifest.read(disk, newer))
        .isInstanceOf(FormatTooNewException.class)
        .hasMessageContaining("format version 2, this Lathe reads up to 1");
    Path zero = root.resolve("zero");
    write(zero, 0, List.of());
    assertThatThrownBy(() -> Manifest.read(disk, zero)).isInstanceOf(CorruptFileException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "null",
        "[]",
        "{}",
        "{\"kind\":1}",
        "{\"a\":1}{\"a\":1}",
        "{\"a\":1,\"a\":1}",
        "{\"a\":"
      })
  void refusesOtherJson(String text) throws IOException {
    Files.writeString(directory.resolve(Manifest.FILE_NAME), text);
    assertThatThrownBy(() -> Manifest.read(disk, directory))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining(Manifest.FILE_NAME);
  }

  @Test
  void limitsDepthAndSize() throws IOException {
    Path file = root.resolve("x.json");
    Files.writeString(file, nested(JsonFile.MAX_DEPTH));
    assertThat(JsonFile.read(disk, file)).containsKey("a");
    Files.writeString(file, nested(JsonFile.MAX_DEPTH + 1));
    assertThatThrownBy(() -> JsonFile.read(disk, file))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("depth");
    Files.writeString(file, "{}" + " ".repeat(JsonFile.MAX_SIZE_BYTES - 2));
    assertThat(JsonFile.read(disk, file)).isEmpty();
    Files.writeString(file, "{}" + " ".repeat(JsonFile.MAX_SIZE_BYTES - 1));
    assertThatThrownBy(() -> JsonFile.read(disk, file))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("limit of " + JsonFile.MAX_SIZE_BYTES);
  }

  private static String nested(int depth) {
    return "{\"a\":".repeat(depth - 1) + "{}" + "}".repeat(depth - 1);
  }

  private void write(Path target, int version, List<Manifest.Entry> entries) {
    try {
      disk.createDirectories(target);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    new Manifest("model", version, Map.of(), entries).write(disk, target);
  }
}
