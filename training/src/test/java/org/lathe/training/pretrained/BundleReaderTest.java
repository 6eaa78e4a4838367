package org.lathe.training.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.lathe.training.pretrained.OnnxFiles.message;

import com.google.common.primitives.Bytes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.LatheException;
import org.lathe.graphs.weights.Weights;
import org.lathe.testdata.SeededCases;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.telemetry.TfRecords;
import org.lathe.training.weights.TensorBundle;
import org.tensorflow.ndarray.Shape;

class BundleReaderTest {
  private static final LocalStorage DISK = LocalStorage.INSTANCE;
  private static final byte[] HEADER = message(out -> out.writeInt32(1, 1));

  @TempDir Path directory;

  @Test
  void bundlesOfTensorFlowAreReadByName() {
    Weights weights = new Weights();
    for (int i = 0; i < 300; i++) { // several blocks
      weights.put("scope/layer_" + i + "/kernel", Shape.of(2, 3), new float[] {i, 1, 2, 3, 4, 5});
    }
    weights.put("scalar", Shape.scalar(), new float[] {9});
    Path prefix = directory.resolve("variables");
    TensorBundle.write(prefix, weights);
    BundleReader reader = BundleReader.open(DISK, prefix);
    assertThat(reader.names()).containsExactlyInAnyOrderElementsOf(weights.names());
    assertThat(reader.shape("scope/layer_7/kernel")).isEqualTo(Shape.of(2, 3));
    assertThat(reader.shape("scalar")).isEqualTo(Shape.scalar());
    assertThat(reader.read("scope/layer_299/kernel").values()).containsExactly(299, 1, 2, 3, 4, 5);
    assertThatThrownBy(() -> reader.read("absent"))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("no variable 'absent'");
  }

  @Test
  void damagedDataIsNoticed() throws IOException {
    Path prefix = directory.resolve("variables");
    TensorBundle.write(prefix, new Weights().put("w", Shape.of(4), new float[] {1, 2, 3, 4}));
    Path data = directory.resolve("variables.data-00000-of-00001");
    byte[] bytes = Files.readAllBytes(data);
    bytes[5] ^= 1;
    Files.write(data, bytes);
    BundleReader reader = BundleReader.open(DISK, prefix);
    assertThatThrownBy(() -> reader.read("w"))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("'w' cannot be read");
    Files.write(data, Arrays.copyOf(bytes, 15));
    assertThatThrownBy(() -> BundleReader.open(DISK, prefix))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("16 bytes at 0 of a data file of 15");
    Files.delete(data);
    assertThatThrownBy(() -> BundleReader.open(DISK, prefix))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("is missing");
  }

  @Test
  void anyDamageOfTheIndexIsRefused() throws IOException {
    Path prefix = directory.resolve("variables");
    TensorBundle.write(
        prefix,
        new Weights()
            .put("a/b", Shape.of(2), new float[] {1, 2})
            .put("a/c", Shape.of(1), new float[] {3}));
    Path index = directory.resolve("variables.index");
    byte[] sound = Files.readAllBytes(index);
    SeededCases.run(
        1500,
        random -> {
          Files.write(index, SafetensorsReaderTest.damaged(sound, random));
          try {
            BundleReader.open(DISK, prefix);
          } catch (LatheException e) {
            assertThat(e.exitCode()).isEqualTo(3);
          }
        });
  }

  /** Tables with sound checksums and false content. */
  @Test
  void hostileIndicesAreRefused() throws IOException {
    Files.write(directory.resolve("w.data-00000-of-00001"), new byte[8]);
    byte[] sound = tensor(1, 0, 0, 8, 2);
    BundleReader good = open(table(entry(0, "", HEADER), entry(0, "w", sound)));
    assertThat(good.names()).containsExactly("w");
    refused("a footer alone", new byte[10]);
    refused("does not end as", new byte[100]);
    refused("no header entry", table(entry(0, "w", sound)));
    refused(
        "big-endian",
        table(
            entry(
                0,
                "",
                message(
                    out -> {
                      out.writeInt32(1, 1);
                      out.writeInt32(2, 1);
                    }))));
    for (int numShards : new int[] {0, -1, BundleIndex.MAX_SHARDS + 1}) {
      refused("data files", table(entry(0, "", message(out -> out.writeInt32(1, numShards)))));
    }
    refusedTensor("needs 8 bytes", tensor(1, 0, 0, 12, 2));
    refusedTensor("beyond all numbers", tensor(1, 0, 0, 8, 1L << 31, 1L << 31));
    refusedTensor("needs 4611686018427387904", tensor(1, 0, 0, 8, 1L << 60));
    refusedTensor("a data file of 8 bytes", tensor(1, 0, 0, 1L << 60, 1L << 58));
    refusedTensor("a data file of 8 bytes", tensor(1, 0, 4, 8, 2));
    refusedTensor("a data file of 8 bytes", tensor(1, 0, Long.MAX_VALUE, 8, 2));
    refusedTensor("a data file of 8 bytes", tensor(1, 0, -4, 8, 2));
    refusedTensor("data file 1 of 1", tensor(1, 1, 0, 8, 2));
    refusedTensor("data file -1 of 1", tensor(1, -1, 0, 8, 2));
    refusedTensor("negative size", tensor(1, 0, 0, 8, -2));
    refusedTensor("more than 8 dimensions", tensor(1, 0, 0, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1));
    open(table(entry(0, "", HEADER), entry(0, "w", tensor(1, 0, 0, 4, 1, 1, 1, 1, 1, 1, 1, 1))));
    refusedTensor("no valid protobuf", new byte[] {0x12, 100});
    refused("twice", table(entry(0, "", HEADER), entry(0, "w", sound), entry(1, "", sound)));
    refused("a name of", table(entry(0, "", HEADER), entry(5, "w", sound)));
    String longest = "n".repeat(BundleIndex.MAX_NAME_BYTES);
    open(table(entry(0, "", HEADER), entry(0, longest, sound)));
    refused("a name of", table(entry(0, "", HEADER), entry(0, longest + "n", sound)));
    refused(
        "a name of",
        table(entry(0, "", HEADER), entry(0, longest, sound), entry(4096, "n", sound)));
    refused("not UTF-8", table(entry(0, "", HEADER), new byte[] {0, 1, 0, (byte) 0xFF}));
    refused("a length of", table(new byte[] {0, -1, -1, -1, -1, -1, -1, -1, -1, 127, 0}));
    refused("ten bytes", table(new byte[] {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 1}));
    // few bytes that share a long name claim many
    byte[] claims = entry(0, longest, sound);
    byte[][] many = new byte[5002][];
    many[0] = entry(0, "", HEADER);
    many[1] = claims;
    Arrays.fill(many, 2, many.length, entry(4095, "x", sound));
    refused("twice", table(many));
    for (int i = 2; i < many.length; i++) {
      many[i] = entry(4090, "%06d".formatted(i), sound);
    }
    refused("its names take more", table(many));
    // many handles of one block: more work than the file has bytes
    refused("overlap", table(100, entry(0, "", HEADER)));
    byte[] compressed = table(entry(0, "", HEADER));
    compressed[entry(0, "", HEADER).length + 8] = 1;
    refused("is compressed", compressed);
    byte[] flipped = table(entry(0, "", HEADER), entry(0, "w", sound));
    flipped[2] ^= 1;
    refused("checksum", flipped);
    Path other = directory.resolve("other");
    Files.write(other, table(entry(0, "", HEADER)));
    Files.createSymbolicLink(directory.resolve("linked.index"), other);
    assertThatThrownBy(() -> BundleReader.open(DISK, directory.resolve("linked")))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("symbolic link");
  }

  @Test
  void otherTypesAreListedAndNotRead() throws IOException {
    Files.write(directory.resolve("w.data-00000-of-00001"), new byte[8]);
    BundleReader reader =
        open(table(entry(0, "", HEADER), entry(0, "global_step", tensor(9, 0, 0, 8))));
    assertThat(reader.names()).containsExactly("global_step");
    assertThatThrownBy(() -> reader.read("global_step"))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("not float32");
  }

  private void refusedTensor(String reason, byte[] tensor) throws IOException {
    refused(reason, table(entry(0, "", HEADER), entry(0, "w", tensor)));
  }

  private void refused(String reason, byte[] index) {
    assertThatThrownBy(() -> open(index))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining(reason)
        .hasMessageContaining("w.index");
  }

  private BundleReader open(byte[] index) throws IOException {
    Files.write(directory.resolve("w.index"), index);
    return BundleReader.open(DISK, directory.resolve("w"));
  }

  /** BundleEntryProto. */
  private static byte[] tensor(int type, int shard, long offset, long sizeBytes, long... shape) {
    return message(
        out -> {
          out.writeInt32(1, type);
          out.writeByteArray(
              2,
              message(
                  to -> {
                    for (long size : shape) {
                      to.writeByteArray(2, message(dim -> dim.writeInt64(1, size)));
                    }
                  }));
          out.writeInt32(3, shard);
          out.writeInt64(4, offset);
          out.writeInt64(5, sizeBytes);
        });
  }

  private static byte[] entry(int shared, String rest, byte[] value) {
    byte[] key = rest.getBytes(StandardCharsets.UTF_8);
    return message(
        out -> {
          out.writeUInt32NoTag(shared);
          out.writeUInt32NoTag(key.length);
          out.writeUInt32NoTag(value.length);
          out.writeRawBytes(key);
          out.writeRawBytes(value);
        });
  }

  /** One data block, an index block that names it, a footer. */
  private static byte[] table(byte[]... entries) throws IOException {
    return table(1, entries);
  }

  private static byte[] table(int numHandles, byte[]... entries) throws IOException {
    byte[] data = block(Bytes.concat(entries));
    byte[][] handles = new byte[numHandles][];
    Arrays.fill(handles, entry(0, "zzz", handle(0, data.length - 5)));
    byte[] index = block(Bytes.concat(handles));
    byte[] footer =
        Arrays.copyOf(Bytes.concat(handle(0, 0), handle(data.length, index.length - 5)), 48);
    ByteBuffer.wrap(footer).order(ByteOrder.LITTLE_ENDIAN).putLong(40, 0xdb4775248b80fb57L);
    return Bytes.concat(data, index, footer);
  }

  private static byte[] handle(int offset, int size) {
    return message(
        out -> {
          out.writeUInt32NoTag(offset);
          out.writeUInt32NoTag(size);
        });
  }

  /** Entries, one restart at 0, type 0, checksum. */
  private static byte[] block(byte[] entries) {
    ByteBuffer block = ByteBuffer.allocate(entries.length + 13).order(ByteOrder.LITTLE_ENDIAN);
    block.put(entries).putInt(0).putInt(1).put((byte) 0);
    block.putInt(TfRecords.maskedCrc(block.array(), 0, entries.length + 9));
    return block.array();
  }
}
