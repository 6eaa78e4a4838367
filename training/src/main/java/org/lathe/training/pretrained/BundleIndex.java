package org.lathe.training.pretrained;

import com.google.common.primitives.Longs;
import java.io.IOException;
import java.io.InputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;
import org.lathe.training.telemetry.TfRecords;

/**
 * The index of a TensorFlow tensor bundle, {@code PREFIX.index}: a sorted table of names
 * (tensorflow/core/lib/io/format.cc) to the protos of tensor_bundle.proto. Every block's checksum,
 * every length and every tensor's place in the data files are checked here, before TensorFlow reads
 * any of them.
 */
final class BundleIndex {
  /** An index of BERT-base has 8 KB. */
  static final int MAX_INDEX_BYTES = 16 << 20;

  static final int MAX_TENSORS = 100_000;
  static final int MAX_NAME_BYTES = 4096;
  static final int MAX_SHARDS = 10_000;

  /** Names share their starts with the one before, so that few bytes can claim many. */
  static final int MAX_TOTAL_NAME_BYTES = 16 << 20;

  static final int MAX_DIMENSIONS = 8;
  private static final long MAGIC = 0xdb4775248b80fb57L;
  private static final int FOOTER_BYTES = 48;
  private static final int TRAILER_BYTES = 5;
  private static final int FLOAT = 1;

  /**
   * One tensor.
   *
   * @param isFloat whether it is float32 and whole
   */
  record Entry(long[] shape, boolean isFloat) {}

  private final Path file;
  private final byte[] bytes;
  private final Map<String, Entry> entries = new TreeMap<>();
  private long totalNameBytes;
  private long numShards = -1;
  private final List<long[]> places = new ArrayList<>();

  private BundleIndex(Path file, byte[] bytes) {
    this.file = file;
    this.bytes = bytes;
  }

  /**
   * Tensors by name.
   *
   * @param prefix path of the bundle without ".index"
   * @throws CorruptFileException when the index or a data file is damaged, or passes a limit
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  static Map<String, Entry> read(Storage storage, Path prefix) {
    String name = prefix.getFileName().toString();
    Path file = PlainFile.inside(storage, prefix, name + ".index");
    BundleIndex index = new BundleIndex(file, readAll(storage, file));
    try {
      index.parse();
    } catch (BufferUnderflowException | IndexOutOfBoundsException | IllegalArgumentException e) {
      throw new CorruptFileException(
          file + ": a length in it leads outside its block; download the checkpoint again.", e);
    }
    index.requireInsideData(storage, prefix);
    return index.entries;
  }

  private static byte[] readAll(Storage storage, Path file) {
    try (InputStream in = storage.open(file)) {
      byte[] bytes = in.readNBytes(MAX_INDEX_BYTES + 1);
      if (bytes.length > MAX_INDEX_BYTES) {
        throw new CorruptFileException(
            file + ": has more than the limit of " + MAX_INDEX_BYTES + " bytes for an index");
      }
      return bytes;
    } catch (IOException e) {
      throw IoGuard.failed(storage, "read", file, e);
    }
  }

  private void parse() {
    if (bytes.length < FOOTER_BYTES) {
      throw corrupt("has " + bytes.length + " bytes, a footer alone has " + FOOTER_BYTES);
    }
    ByteBuffer footer = slice(bytes.length - FOOTER_BYTES, FOOTER_BYTES);
    if (footer.getLong(FOOTER_BYTES - Long.BYTES) != MAGIC) {
      throw corrupt("does not end as the index of a tensor bundle does");
    }
    varint(footer); // the meta index, which bundles do not use
    varint(footer);
    // blocks do not overlap, so that together they are no larger than the file
    long[] budget = {bytes.length};
    forEachEntry(
        block(footer, budget), (key, handle) -> forEachEntry(block(handle, budget), this::entry));
    if (numShards < 0) {
      throw corrupt("has no header entry");
    }
  }

  private interface Pair {
    void accept(byte[] key, ByteBuffer value);
  }

  private ByteBuffer block(ByteBuffer handle, long[] budget) {
    long offset = varint(handle);
    long size = varint(handle);
    if (offset < 0
        || size < 0
        || offset > bytes.length
        || size > bytes.length - offset - TRAILER_BYTES) {
      throw corrupt("has a block at " + offset + " with " + size + " bytes, beyond its end");
    }
    budget[0] -= size + TRAILER_BYTES;
    if (budget[0] < 0) {
      throw corrupt("has blocks that overlap");
    }
    int at = (int) offset;
    int end = at + (int) size;
    if (bytes[end] != 0) {
      throw corrupt("is compressed, which no TensorFlow checkpoint is");
    }
    int expected = slice(end + 1, Integer.BYTES).getInt();
    if (TfRecords.maskedCrc(bytes, at, (int) size + 1) != expected) {
      throw corrupt("the checksum of its block at " + offset + " is wrong");
    }
    return slice(at, (int) size);
  }

  /** Entries, then the places of restarts, then their number. */
  private void forEachEntry(ByteBuffer block, Pair pair) {
    int numRestarts = block.getInt(block.limit() - Integer.BYTES);
    long end = block.limit() - Integer.BYTES * (1L + numRestarts);
    if (numRestarts < 0 || end < 0) {
      throw corrupt("has a block with " + numRestarts + " restarts, more than it holds");
    }
    block.limit((int) end);
    byte[] key = new byte[0];
    while (block.hasRemaining()) {
      int shared = length(block);
      int added = length(block);
      int valueLength = length(block);
      if (shared > key.length
          || shared + (long) added > MAX_NAME_BYTES
          || added > block.remaining()) {
        throw corrupt("has a name of " + (shared + (long) added) + " bytes, more than it may be");
      }
      totalNameBytes += shared + added;
      if (totalNameBytes > MAX_TOTAL_NAME_BYTES) {
        throw corrupt("its names take more than the limit of " + MAX_TOTAL_NAME_BYTES + " bytes");
      }
      byte[] next = Arrays.copyOf(key, shared + added);
      block.get(next, shared, added);
      key = next;
      ByteBuffer value = block.slice(block.position(), valueLength).order(ByteOrder.LITTLE_ENDIAN);
      block.position(block.position() + valueLength);
      pair.accept(key, value);
    }
  }

  private void entry(byte[] key, ByteBuffer value) {
    byte[] message = new byte[value.remaining()];
    value.get(message);
    ProtoWalker walker = ProtoWalker.of(message, file.toString());
    if (key.length == 0) {
      header(walker);
      return;
    }
    String name;
    try {
      name = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(key)).toString();
    } catch (CharacterCodingException e) {
      throw corrupt("has a name that is not UTF-8");
    }
    if (entries.size() == MAX_TENSORS) {
      throw corrupt("names more than the limit of " + MAX_TENSORS + " tensors");
    }
    if (entries.put(name, tensor(walker, name)) != null) {
      throw corrupt("names '" + name + "' twice");
    }
  }

  /** BundleHeaderProto: num_shards 1, endianness 2. */
  private void header(ProtoWalker walker) {
    long[] fields = {0, 0};
    walker.walk(
        number -> {
          if (number == 1 || number == 2) {
            fields[number - 1] = walker.varint();
          } else {
            walker.skip();
          }
        });
    if (fields[0] < 1 || fields[0] > MAX_SHARDS) {
      throw corrupt("says that it has " + fields[0] + " data files, expected 1 to " + MAX_SHARDS);
    }
    if (fields[1] != 0) {
      throw corrupt("is big-endian, expected little-endian");
    }
    numShards = fields[0];
  }

  /** BundleEntryProto: dtype 1, shape 2, shard_id 3, offset 4, size 5, slices 7. */
  private Entry tensor(ProtoWalker walker, String name) {
    long[] fields = new long[6];
    List<Long> shape = new ArrayList<>(2);
    boolean[] sliced = {false};
    walker.walk(
        number -> {
          switch (number) {
            case 1, 3, 4, 5 -> fields[number] = walker.varint();
            case 2 -> walker.message(field -> dimension(walker, shape, field));
            case 7 -> {
              sliced[0] = true;
              walker.skip();
            }
            default -> walker.skip();
          }
        });
    boolean whole = fields[1] == FLOAT && !sliced[0];
    if (whole) {
      long sizeBytes = Float.BYTES;
      try {
        for (long size : shape) {
          sizeBytes = Math.multiplyExact(sizeBytes, size);
        }
      } catch (ArithmeticException e) {
        throw corrupt("tensor '" + name + "' has a shape beyond all numbers: " + shape);
      }
      if (sizeBytes != fields[5]) {
        throw corrupt(
            "tensor '%s' of shape %s needs %d bytes, its entry says %d"
                .formatted(name, shape, sizeBytes, fields[5]));
      }
    }
    places.add(new long[] {fields[3], fields[4], fields[5]});
    return new Entry(Longs.toArray(shape), whole);
  }

  /** TensorShapeProto: dim 2 { size 1 }, unknown_rank 3. */
  private void dimension(ProtoWalker walker, List<Long> shape, int number) throws IOException {
    if (number != 2) {
      walker.skip();
      return;
    }
    long[] size = {0};
    walker.message(
        field -> {
          if (field == 1) {
            size[0] = walker.varint();
          } else {
            walker.skip();
          }
        });
    if (size[0] < 0 || shape.size() == MAX_DIMENSIONS) {
      throw corrupt("a tensor has a negative size or more than " + MAX_DIMENSIONS + " dimensions");
    }
    shape.add(size[0]);
  }

  private void requireInsideData(Storage storage, Path prefix) {
    long[] sizesBytes = new long[(int) numShards];
    Arrays.fill(sizesBytes, -1);
    for (long[] place : places) {
      if (place[0] < 0 || place[0] >= numShards) {
        throw corrupt("puts a tensor into data file " + place[0] + " of " + numShards);
      }
      int shard = (int) place[0];
      if (sizesBytes[shard] < 0) {
        String name = "%s.data-%05d-of-%05d".formatted(prefix.getFileName(), shard, numShards);
        Path data = PlainFile.inside(storage, prefix, name);
        sizesBytes[shard] = IoGuard.call(storage, "read", data, () -> storage.size(data));
      }
      if (place[1] < 0 || place[2] < 0 || place[1] > sizesBytes[shard] - place[2]) {
        throw corrupt(
            "puts %d bytes at %d of a data file of %d bytes"
                .formatted(place[2], place[1], sizesBytes[shard]));
      }
    }
  }

  private ByteBuffer slice(int at, int length) {
    return ByteBuffer.wrap(bytes).slice(at, length).order(ByteOrder.LITTLE_ENDIAN);
  }

  private int length(ByteBuffer in) {
    long length = varint(in);
    if (length < 0 || length > bytes.length) {
      throw corrupt("has a length of " + Long.toUnsignedString(length) + " bytes");
    }
    return (int) length;
  }

  private long varint(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE; shift += 7) {
      byte part = in.get();
      value |= (part & 0x7FL) << shift;
      if (part >= 0) {
        return value;
      }
    }
    throw corrupt("has a number of more than ten bytes");
  }

  private CorruptFileException corrupt(String what) {
    return new CorruptFileException(file + ": " + what + "; download the checkpoint again.");
  }
}
