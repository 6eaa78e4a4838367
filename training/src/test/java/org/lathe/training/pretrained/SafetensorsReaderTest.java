package org.lathe.training.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.LatheException;
import org.lathe.graphs.weights.Weights;
import org.lathe.testdata.SeededCases;
import org.lathe.training.files.LocalStorage;
import org.tensorflow.ndarray.Shape;

class SafetensorsReaderTest {
  private static final LocalStorage DISK = LocalStorage.INSTANCE;
  private static final SafetensorsLimits SMALL = new SafetensorsLimits(400, 3, 8, 15, 20);

  @TempDir Path directory;

  @Test
  void writtenWeightsComeBackBitForBit() throws IOException {
    SeededCases.run(
        20,
        random -> {
          Weights weights = new Weights();
          int numTensors = random.nextInt(6);
          for (int i = 0; i < numTensors; i++) {
            int rows = random.nextInt(5);
            int columns = 1 + random.nextInt(7);
            float[] values = new float[rows * columns];
            for (int k = 0; k < values.length; k++) {
              values[k] = Float.intBitsToFloat(random.nextInt());
            }
            weights.put("t\"é" + random.nextInt(1000) + "." + i, Shape.of(rows, columns), values);
          }
          weights.put("scalar", Shape.scalar(), new float[] {random.nextFloat()});
          Path file = directory.resolve("w" + random.nextLong() + ".safetensors");
          SafetensorsWriter.write(DISK, file, weights);
          SafetensorsReader reader = SafetensorsReader.open(DISK, file);
          assertThat(reader.names()).containsExactlyInAnyOrderElementsOf(weights.names());
          for (String name : weights.names()) {
            assertThat(reader.shape(name)).isEqualTo(weights.get(name).shape());
            assertThat(bits(reader.read(name).values()))
                .isEqualTo(bits(weights.get(name).values()));
          }
        });
  }

  @Test
  void equalWeightsGiveEqualBytesInWhateverOrderAndAlignedValues() throws IOException {
    float[] a = {1, 2, 3};
    float[] b = {4};
    Path first = directory.resolve("first.safetensors");
    Path second = directory.resolve("second.safetensors");
    SafetensorsWriter.write(
        DISK, first, new Weights().put("a", Shape.of(3), a).put("b", Shape.of(1), b));
    SafetensorsWriter.write(
        DISK, second, new Weights().put("b", Shape.of(1), b).put("a", Shape.of(3), a));
    byte[] bytes = Files.readAllBytes(first);
    assertThat(Files.readAllBytes(second)).isEqualTo(bytes);
    long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    assertThat(header % 8).isZero();
    assertThat(bytes.length).isEqualTo(8 + header + 16);
  }

  @Test
  void allFloatTypesReadAsFloat32AndIntegersOnRequest() throws IOException {
    ByteBuffer data = ByteBuffer.allocate(52).order(ByteOrder.LITTLE_ENDIAN);
    data.putFloat(1.5f).putFloat(-0f);
    data.putDouble(-2.25);
    data.putShort((short) 0x3C00).putShort((short) 0xC580).putShort((short) 0x0001);
    data.putShort((short) 0x3F80).putShort((short) 0xC0A0);
    data.putLong(1L << 40).putInt(-7).putInt(9);
    data.put((byte) 1).put((byte) 2);
    Path file =
        file(
            "{\"f32\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                + "\"f64\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[8,16]},"
                + "\"f16\":{\"dtype\":\"F16\",\"shape\":[3,1],\"data_offsets\":[16,22]},"
                + "\"bf16\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[22,26]},"
                + "\"i64\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[26,34]},"
                + "\"i32\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[34,42]},"
                + "\"u8\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[42,44]}}",
            Arrays.copyOf(data.array(), 44));
    SafetensorsReader reader = SafetensorsReader.open(DISK, file);
    assertThat(bits(reader.read("f32").values())).isEqualTo(bits(1.5f, -0f));
    assertThat(reader.read("f64").values()).containsExactly(-2.25f);
    assertThat(reader.read("f64").shape()).isEqualTo(Shape.scalar());
    assertThat(reader.read("f16").values()).containsExactly(1f, -5.5f, 0x1p-24f);
    assertThat(reader.read("bf16").values()).containsExactly(1f, -5f);
    assertThat(reader.readIntegers("i64")).containsExactly(1L << 40);
    assertThat(reader.readIntegers("i32")).containsExactly(-7, 9);
    for (String name : new String[] {"u8", "f32"}) {
      assertThatThrownBy(() -> reader.readIntegers(name)).isInstanceOf(CorruptFileException.class);
    }
    assertThatThrownBy(() -> reader.read("u8"))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("'u8'")
        .hasMessageContaining("U8");
    assertThatThrownBy(() -> reader.read("none"))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("no tensor 'none'");
  }

  @Test
  void hostileFilesAreRefused() throws IOException {
    byte[] four = new byte[4];
    refused("at least the 8", raw(new byte[0]));
    refused("at least the 8", raw(new byte[] {2, 0, 0, 0, 0, 0, 0}));
    refused("the whole file has", raw(length(100), bytes("{}")));
    refused("the limit is 100000000", raw(length(100_000_001), bytes("{}")));
    refused("claims a header of 18446744073709551615", raw(length(-1), bytes("{}")));
    refused("the limit is", raw(length(1L << 60), bytes("{}")));
    refused("expected '{'", file(" {}", new byte[0]));
    refused("expected '{'", file("[]", new byte[0]));
    refused("expected '{'", file("", new byte[0]));
    refused("not UTF-8", raw(length(6), bytes("{\""), new byte[] {(byte) 0xFF}, bytes("\":1")));
    refused("not UTF-8", raw(length(5), bytes("{\""), new byte[] {(byte) 0xC0, (byte) 0x80, '"'}));
    refused("not valid JSON", file("{\"a\":", new byte[0]));
    refused("not valid JSON", file("{'a':1}", new byte[0]));
    refused("not valid JSON", file("{\"a\":NaN}", new byte[0]));
    refused("goes on after", file("{}{}", new byte[0]));
    refused("goes on after", file("{} 1", new byte[0]));
    refused(
        "Duplicate",
        file("{" + tensor("a", "[1]", 0, 4) + "," + tensor("a", "[1]", 0, 4) + "}", four));
    refused("Duplicate", file("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", four));
    refused(
        "overlap",
        file("{" + tensor("a", "[2]", 0, 8) + "," + tensor("b", "[2]", 4, 12) + "}", new byte[12]));
    refused(
        "overlap",
        file("{" + tensor("a", "[1]", 0, 4) + "," + tensor("b", "[1]", 0, 4) + "}", four));
    refused("hole", file("{" + tensor("a", "[1]", 4, 8) + "}", new byte[8]));
    refused(
        "hole",
        file("{" + tensor("a", "[1]", 0, 4) + "," + tensor("b", "[1]", 8, 12) + "}", new byte[12]));
    refused("the file has", file("{" + tensor("a", "[1]", 0, 4) + "}", new byte[5]));
    refused("the file has", file("{" + tensor("a", "[1]", 0, 4) + "}", new byte[3]));
    refused("the file has", file("{}", four));
    refused(
        "beyond all numbers",
        file("{" + tensor("a", "[4194305,4194305,211106198978564]", 0, 4) + "}", four));
    refused(
        "beyond all numbers", file("{" + tensor("a", "[4611686018427387904,1]", 0, 4) + "}", four));
    refused("holds -1", file("{" + tensor("a", "[-1]", 0, 4) + "}", four));
    refused("holds -4", file("{" + tensor("a", "[1]", -4, 0) + "}", four));
    refused(
        "VALUE_NUMBER_FLOAT",
        file("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0.0,4.0]}}", four));
    refused(
        "not valid JSON",
        file(
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[18446744073709551617],\"data_offsets\":[0,4]}}",
            four));
    refused("needs 8 bytes", file("{" + tensor("a", "[2]", 0, 4) + "}", four));
    refused("needs 4 bytes", file("{" + tensor("a", "[1]", 4, 0) + "}", four));
    refused(
        "unknown dtype",
        file("{\"a\":{\"dtype\":\"F128\",\"shape\":[],\"data_offsets\":[0,4]}}", four));
    refused("unknown field", file("{\"a\":{\"dtype\":\"F32\",\"type\":\"F32\"}}", four));
    refused("needs dtype", file("{\"a\":{\"dtype\":\"F32\"}}", four));
    refused("VALUE_NUMBER_INT", file("{\"a\":1}", four));
    refused(
        "more than 8 numbers", file("{" + tensor("a", "[1,1,1,1,1,1,1,1,1]", 0, 4) + "}", four));
    refused("START_ARRAY", file("{\"a\":" + "[".repeat(100_000), new byte[0]));
    refused(
        "expected VALUE_STRING", file("{\"__metadata__\":{\"a\":" + "{\"a\":".repeat(100), four));
    refused("not valid JSON", file("{\"" + "a".repeat(10_001) + "\":1}", four));
  }

  @Test
  void limitsHoldAtTheLimitAndNotBeyond() throws IOException {
    assertThat(SafetensorsLimits.DEFAULT)
        .isEqualTo(new SafetensorsLimits(100_000_000, 1_000_000, 8, 10_000, 20_000_000));
    accepted(file("{" + " ".repeat(398) + "}", new byte[0]));
    refused("the limit is 400", file("{" + " ".repeat(399) + "}", new byte[0]), SMALL);
    String three =
        tensor("a", "[0]", 0, 0) + "," + tensor("b", "[0]", 0, 0) + "," + tensor("c", "[0]", 0, 0);
    accepted(file("{" + three + "}", new byte[0]));
    refused(
        "the limit of 3 tensors",
        file("{" + three + "," + tensor("d", "[0]", 0, 0) + "}", new byte[0]),
        SMALL);
    accepted(file("{" + tensor("a", "[1,1,1,1,1,1,1,0]", 0, 0) + "}", new byte[0]));
    refused(
        "more than 8",
        file("{" + tensor("a", "[1,1,1,1,1,1,1,1,0]", 0, 0) + "}", new byte[0]),
        SMALL);
    accepted(file("{" + tensor("a".repeat(15), "[0]", 0, 0) + "}", new byte[0]));
    refused(
        "not valid JSON",
        file("{" + tensor("a".repeat(16), "[0]", 0, 0) + "}", new byte[0]),
        SMALL);
    accepted(file("{\"__metadata__\":{\"a\":\"" + "x".repeat(20) + "\"}}", new byte[0]));
    refused(
        "a string longer than 20",
        file("{\"__metadata__\":{\"a\":\"" + "x".repeat(21) + "\"}}", new byte[0]),
        SMALL);
  }

  /** What a file claims must not decide what we allocate: exabytes are refused in a small heap. */
  @Test
  void claimedSizesAllocateNothing() throws IOException {
    long before = allocatedBytes();
    for (int i = 0; i < 50; i++) {
      refused("the limit is", raw(length(Long.MAX_VALUE), bytes("{}")));
      refused(
          "the file has",
          file(
              "{" + tensor("a", "[288230376151711743]", 0, 1152921504606846972L) + "}",
              new byte[4]));
      refused("the whole file has", raw(length(99_999_999), bytes("{}")));
    }
    assertThat(allocatedBytes() - before).as("bytes for 150 files").isLessThan(150 * (1 << 20));
  }

  @Test
  void anyDamageIsRefusedOrHarmless() throws IOException {
    Path sound = directory.resolve("sound.safetensors");
    SafetensorsWriter.write(
        DISK,
        sound,
        new Weights()
            .put("first", Shape.of(2, 2), new float[] {1, 2, 3, 4})
            .put("second", Shape.of(3), new float[] {5, 6, 7}));
    byte[] bytes = Files.readAllBytes(sound);
    SeededCases.run(
        1500,
        random -> {
          Path file = raw(damaged(bytes, random));
          try {
            SafetensorsReader reader = SafetensorsReader.open(DISK, file);
            for (String name : reader.names()) {
              reader.shape(name);
              reader.read(name);
            }
          } catch (LatheException e) {
            assertThat(e.exitCode()).isEqualTo(3);
          }
        });
  }

  static byte[] damaged(byte[] sound, Random random) {
    byte[] bytes = sound.clone();
    int numChanges = 1 + random.nextInt(3);
    for (int i = 0; i < numChanges; i++) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(4)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt();
        case 2 -> bytes[at] = bytes[random.nextInt(bytes.length)];
        default -> bytes = Arrays.copyOf(bytes, Math.max(1, at));
      }
    }
    return bytes;
  }

  /** Bytes that this thread has allocated on the heap so far. */
  static long allocatedBytes() {
    return ((com.sun.management.ThreadMXBean)
            java.lang.management.ManagementFactory.getThreadMXBean())
        .getCurrentThreadAllocatedBytes();
  }

  private void accepted(Path file) {
    SafetensorsReader.open(DISK, file, SMALL);
  }

  private static void refused(String reason, Path file) {
    refused(reason, file, SafetensorsLimits.DEFAULT);
  }

  private static void refused(String reason, Path file, SafetensorsLimits limits) {
    assertThatThrownBy(() -> SafetensorsReader.open(DISK, file, limits))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining(reason)
        .hasMessageStartingWith(file.toString())
        .hasMessageEndingWith("again.");
  }

  private static String tensor(String name, String shape, long from, long to) {
    return "\"%s\":{\"dtype\":\"F32\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
        .formatted(name, shape, from, to);
  }

  private Path file(String header, byte[] data) throws IOException {
    byte[] text = bytes(header);
    return raw(length(text.length), text, data);
  }

  private Path raw(byte[]... parts) throws IOException {
    Path file = Files.createTempFile(directory, "case", ".safetensors");
    try (var out = Files.newOutputStream(file)) {
      for (byte[] part : parts) {
        out.write(part);
      }
    }
    return file;
  }

  private static byte[] length(long value) {
    return ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static int[] bits(float... values) {
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }
}
