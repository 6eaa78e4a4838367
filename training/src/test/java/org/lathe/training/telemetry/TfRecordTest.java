package org.lathe.training.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.proto.Event;
import org.tensorflow.proto.SessionLog;
import org.tensorflow.types.TString;

class TfRecordTest {
  @TempDir Path root;
  private final Storage disk = LocalStorage.INSTANCE;

  @Test
  void masksTheKnownCrc() {
    byte[] digits = "123456789".getBytes(StandardCharsets.US_ASCII);
    long crc = 0xE3069283L;
    long masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8L) & 0xffffffffL;
    assertThat(TfRecords.maskedCrc(digits, 0, 9) & 0xffffffffL).isEqualTo(masked);
  }

  @Test
  void roundTrip() throws IOException {
    List<byte[]> payloads = List.of(new byte[0], new byte[] {1}, new byte[70_000], new byte[0]);
    Path file = write(payloads);
    assertThat(Files.size(file)).isEqualTo(4 * 16 + 70_001);
    try (TfRecordReader reader = new TfRecordReader(disk, file, 70_000)) {
      for (byte[] payload : payloads) {
        assertThat(reader.next().orElseThrow()).isEqualTo(payload);
      }
      assertThat(reader.next()).isEmpty();
    }
    try (TfRecordReader reader = new TfRecordReader(disk, file, 69_999)) {
      reader.next();
      reader.next();
      assertThatThrownBy(reader::next)
          .isInstanceOf(CorruptFileException.class)
          .hasMessageContaining("offset 33")
          .hasMessageContaining("70000 bytes, the limit is 69999");
    }
  }

  @Test
  void tensorFlowReadsIt() {
    byte[] payload = "to TensorFlow".getBytes(StandardCharsets.US_ASCII);
    Path file = write(List.of(payload));
    try (Graph graph = new Graph();
        Session session = new Session(graph)) {
      Ops tf = Ops.create(graph);
      var records =
          tf.data.tfRecordDataset(
              tf.array(file.toString()), tf.constant(""), tf.constant(1L << 16), tf.array(0L));
      Operand<?> element =
          tf.data
              .datasetToSingleElement(records, List.of(TString.class), List.of(Shape.scalar()))
              .components()
              .get(0);
      try (Result result = session.runner().fetch(element).run()) {
        assertThat(((TString) result.get(0)).asBytes().getObject()).isEqualTo(payload);
      }
    }
  }

  @Test
  void everyDamageIsDetected() throws IOException {
    Path file = write(List.of(new byte[] {1, 2, 3}, new byte[] {4}));
    byte[] bytes = Files.readAllBytes(file);
    for (int bit = 0; bit < bytes.length * 8; bit++) {
      byte[] flipped = bytes.clone();
      flipped[bit / 8] ^= (byte) (1 << (bit % 8));
      Files.write(file, flipped);
      assertThatThrownBy(() -> readAll(file))
          .as("bit %s", bit)
          .isInstanceOf(CorruptFileException.class)
          .hasMessageContaining(file + ": record at offset " + (bit / 8 < 19 ? 0 : 19));
    }
    for (int size = 1; size < bytes.length; size++) {
      if (size != 19) {
        Files.write(file, Arrays.copyOf(bytes, size));
        assertThatThrownBy(() -> readAll(file))
            .as("size %s", size)
            .isInstanceOf(CorruptFileException.class);
      }
    }
  }

  @Test
  void eventsComeBack() throws Exception {
    InstantSource clock = InstantSource.fixed(Instant.ofEpochMilli(1_700_000_000_500L));
    try (EventFileWriter writer = new EventFileWriter(disk, root, 7, clock)) {
      writer.scalar(7, "train/loss", 4.25);
      writer.scalar(8, "train/loss", Double.NaN);
      writer.flush();
      assertThat(readAll(root.resolve("events.out.tfevents.1700000000.lathe"))).hasSize(4);
    }
    // a restart within the same second
    new EventFileWriter(disk, root, 8, clock).close();
    assertThat(root.resolve("events.out.tfevents.1700000001.lathe")).exists();
    List<Event> events = new ArrayList<>();
    for (byte[] record : readAll(root.resolve("events.out.tfevents.1700000000.lathe"))) {
      events.add(Event.parseFrom(record));
    }
    assertThat(events.get(0).getFileVersion()).isEqualTo("brain.Event:2");
    assertThat(events.get(1).getSessionLog().getStatus()).isEqualTo(SessionLog.SessionStatus.START);
    assertThat(events.get(1).getStep()).isEqualTo(7);
    assertThat(events.get(2).getStep()).isEqualTo(7);
    assertThat(events.get(2).getWallTime()).isEqualTo(1_700_000_000.5);
    assertThat(events.get(2).getSummary().getValue(0).getTag()).isEqualTo("train/loss");
    assertThat(events.get(2).getSummary().getValue(0).getSimpleValue()).isEqualTo(4.25f);
    assertThat(events.get(3).getSummary().getValue(0).getSimpleValue()).isNaN();
  }

  @Test
  void doesNotOverwrite() {
    Path file = write(List.of());
    assertThatThrownBy(() -> new TfRecordWriter(disk, file)).isInstanceOf(FailedException.class);
  }

  private Path write(List<byte[]> payloads) {
    Path file = root.resolve("x.tfrecord");
    try (TfRecordWriter writer = new TfRecordWriter(disk, file)) {
      payloads.forEach(writer::write);
    }
    return file;
  }

  private List<byte[]> readAll(Path file) {
    List<byte[]> records = new ArrayList<>();
    try (TfRecordReader reader = new TfRecordReader(disk, file, 1000)) {
      for (Optional<byte[]> next = reader.next(); next.isPresent(); next = reader.next()) {
        records.add(next.get());
      }
    }
    return records;
  }
}
