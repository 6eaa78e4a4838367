package org.lathe.training.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.common.hash.Hashing;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FormatTooNewException;
import org.lathe.testdata.SeededCases;
import org.lathe.training.files.Damage;
import org.lathe.training.files.FaultyStorage;
import org.lathe.training.files.FramedFileWriter;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;

/** Files that were damaged, exchanged or made to do harm. */
class DatastoreDamageTest {
  private static final StoreIdentity IDENTITY = Stores.identity();

  @TempDir Path root;
  private final Storage disk = new FaultyStorage(LocalStorage.INSTANCE);
  private Path store;

  @BeforeEach
  void build() {
    store = root.resolve("store");
    SourceText text = Stores.text("text", new Random(1), 50, 40);
    Stores.build(disk, store, text);
    Stores.add(disk, store, Stores.text("more", new Random(2), 50));
    new DatastoreEditor(disk, store).remove(DocumentPattern.name("text-1"), false);
    verify();
  }

  private void verify() {
    DatastoreCheck.verify(disk, store, (what, done, total) -> {});
  }

  @Test
  void everyBitIsGuarded() {
    List<Map.Entry<String, byte[]>> files = new ArrayList<>(Stores.files(store).entrySet());
    SeededCases.run(
        600,
        random -> {
          Map.Entry<String, byte[]> chosen = files.get(random.nextInt(files.size()));
          byte[] bytes = chosen.getValue().clone();
          int bit = random.nextInt(bytes.length * Byte.SIZE);
          bytes[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
          Path file = store.resolve(chosen.getKey());
          Files.write(file, bytes);
          // a bit of white space or of a field's name in JSON may be another way to say the same
          boolean harmless = isSameTable(file, chosen.getValue());
          if (!harmless) {
            assertThatThrownBy(this::verify)
                .as("bit %s of %s", bit, chosen.getKey())
                .isInstanceOfAny(CorruptFileException.class, FormatTooNewException.class)
                .hasMessageContaining(store.toString());
          }
          Files.write(file, chosen.getValue());
        });
    verify();
  }

  /** Whether the reader of tables finds the content that was written. */
  private boolean isSameTable(Path file, byte[] original) throws IOException {
    if (!file.endsWith(TableStore.TABLE_FILE)) {
      return false;
    }
    TableStore files = new TableStore(disk, store);
    StoreTable changed;
    try {
      changed = files.requireTable();
    } catch (CorruptFileException | FormatTooNewException e) {
      return false;
    }
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, original);
    boolean same = changed.equals(files.requireTable());
    Files.write(file, bytes);
    return same;
  }

  @ParameterizedTest
  @EnumSource(Damage.class)
  void everyFileIsMissed(Damage damage) throws IOException {
    if (damage == Damage.UNCHANGED) {
      return;
    }
    for (Map.Entry<String, byte[]> one : Stores.files(store).entrySet()) {
      Path file = store.resolve(one.getKey());
      damage.apply(file);
      assertThatThrownBy(this::verify)
          .as("%s of %s", damage, one.getKey())
          .isInstanceOf(CorruptFileException.class)
          .hasMessageContaining(store.toString());
      Files.write(file, one.getValue());
    }
    verify();
  }

  /** Opening a large store must not read it all; damage shows when it is met. */
  @Test
  void openingLooksAtKeysWhenTheyAreRead() throws IOException {
    Path segment = store.resolve("part-000001/segment-00000000");
    byte[] bytes = Files.readAllBytes(segment);
    bytes[bytes.length / 2] ^= 1;
    // the checksum of blocks lies in the header's block, so the size is checked but no key
    Files.write(segment, bytes);
    assertThatThrownBy(
            () -> {
              try (Datastore opened = Datastore.open(disk, store)) {
                opened.keys(0, opened.numItems());
              }
            })
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("checksum of block 0");
  }

  @Test
  void segmentsCannotBeExchanged() throws IOException {
    Path first = store.resolve("part-000001/segment-00000000");
    Path other = root.resolve("other");
    Stores.build(disk, other, Stores.text("text", new Random(7), 50, 40));
    Files.write(first, Files.readAllBytes(other.resolve("part-000001/segment-00000000")));
    assertThatThrownBy(() -> Datastore.open(disk, store))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("another store or another place");
  }

  @Test
  void newerVersionsAreRefusedAsSuch() throws IOException {
    Path table = store.resolve(TableStore.TABLE_FILE);
    String text = Files.readString(table);
    Files.writeString(table, text.replace("\"version\" : 1", "\"version\" : 2"));
    assertThatThrownBy(() -> Datastore.open(disk, store)).isInstanceOf(FormatTooNewException.class);
    Files.writeString(table, text);
    Path segment = store.resolve("part-000001/segment-00000000");
    Files.delete(segment);
    try (FramedFileWriter out =
        new FramedFileWriter(disk, segment, SegmentReader.KIND, 2, new byte[16])) {
      out.finish();
    }
    assertThatThrownBy(() -> Datastore.open(disk, store))
        .isInstanceOf(FormatTooNewException.class)
        .hasMessageContaining(segment.toString());
  }

  /** Well-framed document tables that promise what they do not hold. */
  @ParameterizedTest
  @CsvSource({
    "-1, 0, 49, 1, 'promises -1 documents'",
    "2147483647, 0, 49, 1, 'promises 2147483647 documents'",
    "1, -5, 49, 1, 'from position -5'",
    "1, 9223372036854775807, 49, 1, 'has 49 items from position'",
    "1, 0, -49, 1, 'has -49 items'",
    "1, 0, 49, -1, 'has -1 bytes'",
    "1, 0, 49, 4097, 'has 4097 bytes'",
    "1, 0, 49, 2, 'has 2 bytes'",
    "1, 0, 49, 0, 'longer than its documents'",
    "1, 0, 48, 1, 'lists 1 documents with 48 items'",
    "1, 0, 49, 1, ''",
  })
  void hostileDocumentTables(
      int numDocuments, long firstPosition, int numItems, int nameBytes, String problem)
      throws IOException {
    StoreTable.Part part = new TableStore(disk, store).requireTable().parts().get(1);
    Path file = store.resolve("part-000002/documents");
    Files.delete(file);
    byte[] id =
        StoreTable.fileId(
            IDENTITY, part.number(), part.sourceSha256(), DocumentTableFile.FILE_NUMBER);
    try (FramedFileWriter out = new FramedFileWriter(disk, file, "datastore-documents", 1, id)) {
      out.writeInt(numDocuments);
      out.writeLong(firstPosition);
      out.writeInt(numItems);
      out.writeInt(nameBytes);
      out.write(new byte[] {'x'});
      out.finish();
    }
    if (problem.isEmpty()) {
      assertThatCode(this::verify).doesNotThrowAnyException();
    } else {
      assertThatThrownBy(this::verify)
          .isInstanceOf(CorruptFileException.class)
          .hasMessageContainingAll(file.toString(), problem);
    }
  }

  /** Sound frames around values and keys that cannot be. */
  @ParameterizedTest
  @CsvSource({"50, 0, 'outside the vocabulary of 50'", "-1, 0, 'value -1'", "0, 31744, finite"})
  void hostileSegments(int value, int key, String problem) throws IOException {
    StoreTable.Part part = new TableStore(disk, store).requireTable().parts().get(1);
    int size = part.segmentItems().get(0);
    Path file = store.resolve("part-000002/segment-00000000");
    Files.delete(file);
    byte[] id = StoreTable.fileId(IDENTITY, part.number(), part.sourceSha256(), 0);
    try (FramedFileWriter out =
        new FramedFileWriter(disk, file, SegmentReader.KIND, SegmentReader.VERSION, id)) {
      out.writeInt(size);
      out.writeInt(IDENTITY.width());
      for (int i = 0; i < size; i++) {
        out.writeInt(i == 5 ? value : 0);
      }
      for (int i = 0; i < size * IDENTITY.width(); i++) {
        out.writeShort(i == 7 ? key : 0);
      }
      out.finish();
    }
    assertThatThrownBy(this::verify)
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining(problem);
  }

  /** Tables with a right checksum and impossible content. */
  @ParameterizedTest
  @CsvSource({
    "'\"width\":3', '\"width\":65537', 'width (65537)'",
    "'\"width\":3', '\"width\":0', 'width (0)'",
    "'\"scoreScale\":0.5', '\"scoreScale\":-1.0', scoreScale",
    "'\"nextPart\":3', '\"nextPart\":2', 'not below nextPart'",
    "'\"number\":2', '\"number\":1', 'listed twice'",
    "'\"number\":2', '\"number\":-2', 'number from 1'",
    "'\"numDocuments\":1,', '\"numDocuments\":0,', 'no documents'",
    "'{\"from\":1,\"to\":2}', '{\"from\":1,\"to\":3}', 'out of order or outside'",
    "'{\"from\":1,\"to\":2}', '{\"from\":2,\"to\":1}', 'no range'",
    "'\"segmentItems\":[', '\"segmentItems\":[2147483647,', 'at most 2147483647 expected'",
    "'\"segmentItems\":[', '\"segmentItems\":[0,', 'empty segment'",
    "'\"modelFingerprint\":\"a', '\"modelFingerprint\":\"A', 'no SHA-256'",
    "'\"generation\":3', '\"generation\":0', 'generation (0)'",
  })
  void hostileTables(String from, String to, String problem) throws IOException {
    Path file = store.resolve(TableStore.TABLE_FILE);
    String text = Files.readString(file);
    String content = new ObjectMapper().readTree(text).path("content").toString();
    assertThat(content).contains(from);
    String changed = content.replace(from, to);
    String sha256 = Hashing.sha256().hashString(changed, StandardCharsets.UTF_8).toString();
    Files.writeString(
        file,
        "{\"format\":\"lathe-datastore\",\"version\":1,\"sha256\":\"%s\",\"content\":%s}"
            .formatted(sha256, changed));
    assertThatThrownBy(() -> Datastore.open(disk, store))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining(problem);
  }
}
