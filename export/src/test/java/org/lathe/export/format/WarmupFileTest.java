package org.lathe.export.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;
import org.lathe.training.telemetry.TfRecordWriter;

final class WarmupFileTest {
  private static final List<WarmupRequest> REQUESTS =
      List.of(
          new WarmupRequest("serving_default", false, new int[][] {{1, 2, -1}, {4, 5, 6}}),
          new WarmupRequest("serving_int64", true, new int[][] {{7}}),
          new WarmupRequest(
              "serving_default",
              false,
              Map.of(
                  "input_ids", new int[][] {{4, 5}},
                  "attention_mask", new int[][] {{1, 0}},
                  "token_type_ids", new int[][] {{0, 1}})));

  private final Storage storage = LocalStorage.INSTANCE;
  private int numFiles;

  @TempDir Path directory;

  @Test
  void whatWasWrittenIsRead() {
    List<WarmupRequest> read = decode(encode(REQUESTS));
    assertThat(read).hasSize(3);
    for (int i = 0; i < read.size(); i++) {
      assertThat(read.get(i).signature()).isEqualTo(REQUESTS.get(i).signature());
      assertThat(read.get(i).wide()).isEqualTo(REQUESTS.get(i).wide());
      Map<String, int[][]> inputs = REQUESTS.get(i).inputs();
      assertThat(read.get(i).inputs().keySet()).isEqualTo(inputs.keySet());
      read.get(i)
          .inputs()
          .forEach((name, rows) -> assertThat(rows).isDeepEqualTo(inputs.get(name)));
    }
  }

  /** Field numbers and framing against bytes put together by hand. */
  @Test
  void bytesAreThoseOfThePredictionLogMessage() {
    byte[] file = encode(List.of(new WarmupRequest("s", false, new int[][] {{258}})));
    // log.6{request.1{spec.1{name.3="s"}, inputs.2{key.1="input_ids", value.2{dtype.1=3,
    // shape.2{dim.2{size.1=1} x 2}, content.4=02 01 00 00}}}}
    int[] payload = {
      0x32, 40, 0x0a, 38, 0x0a, 3, 0x1a, 1, 's', 0x12, 31, 0x0a, 9, 'i', 'n', 'p', 'u', 't', '_',
      'i', 'd', 's', 0x12, 18, 0x08, 3, 0x12, 8, 0x12, 2, 0x08, 1, 0x12, 2, 0x08, 1, 0x22, 4, 2, 1,
      0, 0
    };
    byte[] found = Arrays.copyOfRange(file, 12, file.length - 4);
    byte[] expected = new byte[payload.length];
    for (int i = 0; i < payload.length; i++) {
      expected[i] = (byte) payload[i];
    }
    assertThat(found).isEqualTo(expected);
  }

  @Test
  void aFlippedBitInAnyByteAndEveryCutIsRefused() {
    byte[] file = encode(REQUESTS);
    for (int i = 0; i < file.length; i++) {
      byte[] flipped = file.clone();
      flipped[i] ^= (byte) (1 << i % 8);
      assertThatThrownBy(() -> decode(flipped)).isInstanceOf(CorruptFileException.class);
    }
    // a file may end after any whole record
    List<Integer> recordEnds =
        IntStream.range(1, REQUESTS.size())
            .mapToObj(n -> encode(REQUESTS.subList(0, n)).length)
            .toList();
    for (int size = 1; size < file.length; size++) {
      byte[] cut = Arrays.copyOf(file, size);
      if (!recordEnds.contains(size)) {
        assertThatThrownBy(() -> decode(cut)).isInstanceOf(CorruptFileException.class);
      }
    }
  }

  @Test
  void hostilePayloadsInSoundFramesGiveDeclaredErrorsOnly() {
    Random random = new Random(3);
    for (int i = 0; i < 1_000; i++) {
      byte[] file = encode(REQUESTS.subList(i % 3, i % 3 + 1));
      byte[] sound = Arrays.copyOfRange(file, 12, file.length - 4);
      byte[] changed = sound.clone();
      changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
      Path framed = directory.resolve("framed-" + i);
      try (TfRecordWriter out = new TfRecordWriter(storage, framed)) {
        out.write(changed);
      }
      try {
        WarmupFile.read(storage, framed);
      } catch (CorruptFileException expected) {
        assertThat(expected).hasMessageContaining(framed + ", record 0");
      }
    }
  }

  @Test
  void anAbsentFileIsNamed() {
    assertThatThrownBy(() -> WarmupFile.read(storage, directory.resolve("absent")))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("absent is missing");
  }

  private byte[] encode(List<WarmupRequest> requests) {
    Path file = directory.resolve("encoded-" + numFiles++);
    WarmupFile.write(storage, file, requests);
    try {
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<WarmupRequest> decode(byte[] bytes) {
    Path file = directory.resolve("changed");
    try {
      Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return WarmupFile.read(storage, file);
  }
}
