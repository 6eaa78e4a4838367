package org.lathe.training.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FormatTooNewException;
import org.lathe.graphs.errors.LatheException;
import org.lathe.training.files.FaultyStorage;
import org.lathe.training.files.FramedFileWriter;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;

class TokenFileTest {
  private static final String FINGERPRINT = "0123456789abcdef".repeat(4);
  private static final long SEED = Long.getLong("seed", 11);

  /** Without faults; unlike the disk itself it does not wait for syncs. */
  private final Storage disk = new FaultyStorage(LocalStorage.INSTANCE);

  @TempDir Path directory;

  @Test
  void tokensAndDocumentsComeBackOverSeveralBlocks() throws Exception {
    for (int vocabularySize : new int[] {65_536, 65_537}) {
      Path path = directory.resolve("big" + vocabularySize);
      Random random = new Random(SEED);
      int[] all = random.ints(700_000, 0, vocabularySize).toArray();
      all[0] = vocabularySize - 1;
      try (TokenFileWriter writer = writer(path, vocabularySize)) {
        writer.add("first", Arrays.copyOfRange(all, 0, 1));
        writer.add("empty", new int[0]);
        writer.add("second \u00e9", Arrays.copyOfRange(all, 1, 600_000));
        writer.add("third", Arrays.copyOfRange(all, 600_000, all.length));
        writer.finish();
      }
      try (TokenFile file = TokenFile.open(LocalStorage.INSTANCE, path)) {
        assertThat(file.size()).isEqualTo(all.length);
        int[] read = new int[all.length + 2];
        file.read(0, read, 1, all.length);
        assertThat(Arrays.copyOfRange(read, 1, all.length + 1)).isEqualTo(all);
        assertThat(file.get(654_321)).isEqualTo(all[654_321]);
        assertThat(file.numDocuments()).isEqualTo(3);
        assertThat(file.documentId(1)).isEqualTo("second \u00e9");
        assertThat(file.documentStart(2)).isEqualTo(600_000);
        assertThat(file.documentAt(0)).isZero();
        assertThat(file.documentAt(1)).isEqualTo(1);
        assertThat(file.documentAt(599_999)).isEqualTo(1);
        assertThat(file.documentAt(600_000)).isEqualTo(2);
        assertThat(file.documentAt(all.length - 1)).isEqualTo(2);
        assertThat(file.vocabularySize()).isEqualTo(vocabularySize);
        assertThat(file.tokenizerFingerprint()).isEqualTo(FINGERPRINT);
        assertThat(file.sha256()).hasSize(64);
        assertThatThrownBy(() -> file.get(all.length))
            .isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> file.read(all.length - 1, read, 0, 2))
            .isInstanceOf(IndexOutOfBoundsException.class);
        long perToken = vocabularySize == 65_536 ? 2 : 4;
        assertThat(Files.size(path)).isBetween(perToken * all.length, perToken * all.length + 300);
      }
    }
  }

  @Test
  void everySingleBitFlipIsNoticed() throws Exception {
    Path path = small();
    byte[] good = Files.readAllBytes(path);
    Path damaged = directory.resolve("damaged");
    Random random = new Random(SEED);
    for (int i = 0; i < 1000; i++) {
      byte[] bad = good.clone();
      int bit = random.nextInt(8 * bad.length);
      bad[bit / 8] ^= (byte) (1 << bit % 8);
      Files.write(damaged, bad);
      assertRefused(damaged, "-Dseed=" + SEED + " bit " + bit);
    }
  }

  @Test
  void everyTruncationIsNoticed() throws Exception {
    byte[] good = Files.readAllBytes(small());
    Path damaged = directory.resolve("damaged");
    for (int length = 0; length < good.length; length++) {
      Files.write(damaged, Arrays.copyOf(good, length));
      assertRefused(damaged, "length " + length);
    }
    Files.write(damaged, Arrays.copyOf(good, good.length + 1));
    assertRefused(damaged, "one byte more");
  }

  @Test
  void foreignNewerUnfinishedAndMissingFilesAreNamed() throws Exception {
    Path foreign = Files.writeString(directory.resolve("foreign"), "PK something else entirely");
    assertThatThrownBy(() -> TokenFile.open(LocalStorage.INSTANCE, foreign))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("not a Lathe file");
    assertThatThrownBy(() -> TokenFile.open(LocalStorage.INSTANCE, directory.resolve("none")))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("missing");
    Path newer = directory.resolve("newer");
    try (FramedFileWriter writer = new FramedFileWriter(disk, newer, "tokens", 2, new byte[16])) {
      writer.finish();
    }
    assertThatThrownBy(() -> TokenFile.open(LocalStorage.INSTANCE, newer))
        .isInstanceOf(FormatTooNewException.class);
    Path other = directory.resolve("other");
    try (FramedFileWriter writer =
        new FramedFileWriter(disk, other, "datastore", 1, new byte[16])) {
      writer.finish();
    }
    assertThatThrownBy(() -> TokenFile.open(LocalStorage.INSTANCE, other))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("another kind");
    Path unfinished = directory.resolve("unfinished");
    try (TokenFileWriter writer = writer(unfinished, 10)) {
      writer.add("a", new int[1_000_000]);
    }
    assertThatThrownBy(() -> TokenFile.open(LocalStorage.INSTANCE, unfinished))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("truncated");
  }

  @Test
  void hostileContentInASoundFrameIsRefused() throws Exception {
    Random random = new Random(SEED);
    Path path = directory.resolve("hostile");
    for (int i = 0; i < 300; i++) {
      Files.deleteIfExists(path);
      byte[] payload = new byte[random.nextInt(120)];
      random.nextBytes(payload);
      if (payload.length >= 52) {
        // a believable tail makes the deeper checks run
        int tail = payload.length - 52;
        Arrays.fill(payload, tail, tail + 20, (byte) 0);
        payload[tail] = (byte) random.nextInt(20);
        payload[tail + 8] = (byte) random.nextInt(4);
        payload[tail + 12] = 40;
        payload[tail + 16] = 2;
      }
      try (FramedFileWriter writer = new FramedFileWriter(disk, path, "tokens", 1, new byte[16])) {
        writer.write(payload);
        writer.finish();
      }
      try (TokenFile file = TokenFile.open(LocalStorage.INSTANCE, path)) {
        assertThat(file.size()).isZero();
      } catch (LatheException e) {
        assertThat(e).hasMessageContaining("hostile");
      }
    }
  }

  @Test
  void writerRefusesTokensOutsideTheVocabulary() throws Exception {
    try (TokenFileWriter writer = writer(directory.resolve("x"), 10)) {
      assertThatThrownBy(() -> writer.add("a", new int[] {10}))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  private Path small() throws Exception {
    Path path = directory.resolve("small");
    try (TokenFileWriter writer = writer(path, 300)) {
      writer.add("one", new int[] {1, 2, 299});
      writer.add("two", new int[] {4, 5, 6, 7});
      writer.finish();
    }
    return path;
  }

  private TokenFileWriter writer(Path path, int vocabularySize) throws Exception {
    return new TokenFileWriter(disk, path, vocabularySize, FINGERPRINT);
  }

  private static void assertRefused(Path path, String what) {
    assertThatThrownBy(() -> TokenFile.open(LocalStorage.INSTANCE, path).close())
        .as(what)
        .isInstanceOf(LatheException.class)
        .hasMessageContaining("damaged");
  }
}
