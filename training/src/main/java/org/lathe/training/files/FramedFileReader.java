package org.lathe.training.files;

import com.google.common.base.Preconditions;
import com.google.common.base.Verify;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FormatTooNewException;

/**
 * A {@link FramedFile} mapped into memory. {@link #open} verifies every byte of it, so that later
 * reads cannot meet damage; {@link #openLazily} leaves each block's check to the first read of it.
 * Safe for several threads. The mapping itself goes when the garbage collector finds it unused.
 */
public final class FramedFileReader implements AutoCloseable {
  private static final int STORED_BLOCK_BYTES = FramedFile.BLOCK_BYTES + FramedFile.CRC_BYTES;

  /** Blocks per mapping: about 1 GiB, since one mapping holds less than 2 GiB. */
  private static final int BLOCKS_PER_MAPPING = 1024;

  private final Path file;
  private final int version;
  private final byte[] id;
  private final int headerBytes;
  private final long payloadBytes;
  private final ByteBuffer[] blocks;
  private final int[] blockCrcs;

  /** Several threads may check a block at once, with the same result. */
  private final boolean[] checked;

  private volatile boolean closed;

  private FramedFileReader(
      Path file,
      int version,
      byte[] id,
      int headerBytes,
      long payloadBytes,
      ByteBuffer[] blocks,
      int[] blockCrcs) {
    this.file = file;
    this.version = version;
    this.id = id;
    this.headerBytes = headerBytes;
    this.payloadBytes = payloadBytes;
    this.blocks = blocks;
    this.blockCrcs = blockCrcs;
    this.checked = new boolean[blocks.length];
  }

  /**
   * Maps and verifies a file.
   *
   * @param kind the only kind accepted
   * @param newestVersion the newest format version that the caller understands
   * @throws CorruptFileException when it is foreign, of another kind, truncated or damaged
   * @throws FormatTooNewException when its version is newer than newestVersion
   * @throws IOException when it cannot be read at all
   */
  public static FramedFileReader open(Storage storage, Path file, String kind, int newestVersion)
      throws IOException {
    FramedFileReader reader = openLazily(storage, file, kind, newestVersion);
    for (int i = 0; i < reader.blocks.length; i++) {
      reader.checkBlock(i);
    }
    return reader;
  }

  /**
   * Maps a file that may be larger than the memory. Header, footer and all block checksums are
   * verified now; the bytes of a block when it is first read, which then throws
   * CorruptFileException for damage.
   *
   * @throws CorruptFileException when it is foreign, of another kind, truncated or damaged
   * @throws FormatTooNewException when its version is newer than newestVersion
   * @throws IOException when it cannot be read at all
   */
  public static FramedFileReader openLazily(
      Storage storage, Path file, String kind, int newestVersion) throws IOException {
    long size = storage.size(file);
    byte[] kindBytes = kind.getBytes(StandardCharsets.US_ASCII);
    int headerBytes = FramedFile.headerBytes(kindBytes.length);
    ByteBuffer header = map(storage, file, 0, Math.min(size, headerBytes));
    checkHeader(file, kind, header, size);
    header.position(FramedFile.MAGIC.length + 1 + kindBytes.length);
    int version = header.getInt();
    byte[] id = new byte[FramedFile.ID_BYTES];
    header.get(id);
    if (version > newestVersion) {
      throw new FormatTooNewException(
          "%s has %s format version %d, but this Lathe reads up to %d; use a newer Lathe."
              .formatted(file, kind, version, newestVersion));
    }
    ByteBuffer footer = map(storage, file, size - FramedFile.FOOTER_BYTES, FramedFile.FOOTER_BYTES);
    long payloadBytes = checkFooter(file, footer, headerBytes, size);
    int blocksCrc = footer.getInt(FramedFile.END_MAGIC.length + Long.BYTES);
    ByteBuffer[] blocks = new ByteBuffer[Math.toIntExact(FramedFile.numBlocks(payloadBytes))];
    int[] blockCrcs = new int[blocks.length];
    mapBlocks(storage, file, headerBytes, payloadBytes, blocks, blockCrcs, blocksCrc);
    return new FramedFileReader(file, version, id, headerBytes, payloadBytes, blocks, blockCrcs);
  }

  public Path file() {
    return file;
  }

  public int version() {
    return version;
  }

  public byte[] id() {
    return id.clone();
  }

  /** Payload length. */
  public long size() {
    return payloadBytes;
  }

  /** Unsigned byte at a payload position. */
  public int unsignedByte(long position) {
    return block(position).get(inBlock(position)) & 0xFF;
  }

  /** Unsigned 16-bit number at an even position. */
  public int unsignedShort(long position) {
    return block(position).getShort(inBlock(position)) & 0xFFFF;
  }

  /** 32-bit number at a position divisible by 4. */
  public int intAt(long position) {
    return block(position).getInt(inBlock(position));
  }

  /** Copies payload bytes from any position. */
  public void read(long position, byte[] target, int offset, int length) {
    Preconditions.checkPositionIndexes(offset, offset + length, target.length);
    int done = 0;
    while (done < length) {
      int start = inBlock(position + done);
      int part = Math.min(FramedFile.BLOCK_BYTES - start, length - done);
      block(position + done).get(start, target, offset + done, part);
      done += part;
    }
  }

  @Override
  public void close() {
    closed = true;
    Arrays.fill(blocks, null);
  }

  private ByteBuffer block(long position) {
    Preconditions.checkState(!closed, "%s is closed", file);
    if (position < 0 || position >= payloadBytes) {
      throw new IndexOutOfBoundsException(
          "position " + position + " outside [0, " + payloadBytes + ") of " + file);
    }
    int index = (int) (position / FramedFile.BLOCK_BYTES);
    if (!checked[index]) {
      checkBlock(index);
    }
    return blocks[index];
  }

  private static int inBlock(long position) {
    return (int) (position % FramedFile.BLOCK_BYTES);
  }

  private static void checkHeader(Path file, String kind, ByteBuffer header, long size) {
    byte[] magic = new byte[Math.min(FramedFile.MAGIC.length, header.remaining())];
    header.get(0, magic);
    if (!Arrays.equals(magic, FramedFile.MAGIC)) {
      throw new CorruptFileException(
          "%s is not a Lathe file: it does not start with \"LATHE\"; give a %s file."
              .formatted(file, kind));
    }
    byte[] expected = kind.getBytes(StandardCharsets.US_ASCII);
    int headerBytes = FramedFile.headerBytes(expected.length);
    if (size < headerBytes + FramedFile.FOOTER_BYTES) {
      throw new CorruptFileException(
          "%s is truncated: it has %d bytes, fewer than the frame of a %s file; write it again."
              .formatted(file, size, kind));
    }
    byte[] found = new byte[expected.length];
    header.get(FramedFile.MAGIC.length + 1, found);
    if (header.get(FramedFile.MAGIC.length) != expected.length || !Arrays.equals(found, expected)) {
      throw new CorruptFileException(
          "%s is damaged or of another kind: offset %d should say \"%s\"; give a %s file."
              .formatted(file, FramedFile.MAGIC.length, kind, kind));
    }
    byte[] covered = new byte[headerBytes - FramedFile.CRC_BYTES];
    header.get(0, covered);
    if (header.getInt(covered.length) != FramedFile.crc(covered, 0, covered.length)) {
      throw new CorruptFileException(
          "%s is damaged: the checksum of its header, offsets 0 to %d, does not match; write it again."
              .formatted(file, headerBytes));
    }
  }

  private static long checkFooter(Path file, ByteBuffer footer, int headerBytes, long size) {
    long offset = size - FramedFile.FOOTER_BYTES;
    byte[] covered = new byte[FramedFile.FOOTER_BYTES - FramedFile.CRC_BYTES];
    footer.get(0, covered);
    boolean magic =
        Arrays.equals(Arrays.copyOf(covered, FramedFile.END_MAGIC.length), FramedFile.END_MAGIC);
    if (!magic || footer.getInt(covered.length) != FramedFile.crc(covered, 0, covered.length)) {
      throw new CorruptFileException(
          "%s is truncated or damaged: no valid footer at offset %d; write it again."
              .formatted(file, offset));
    }
    long payloadBytes = footer.getLong(FramedFile.END_MAGIC.length);
    long room = size - headerBytes - FramedFile.FOOTER_BYTES;
    if (payloadBytes < 0
        || payloadBytes > room
        || payloadBytes + FramedFile.CRC_BYTES * FramedFile.numBlocks(payloadBytes) != room) {
      throw new CorruptFileException(
          "%s is damaged: its footer at offset %d promises %d payload bytes, which do not fit a file of %d bytes; write it again."
              .formatted(file, offset, payloadBytes, size));
    }
    return payloadBytes;
  }

  private static void mapBlocks(
      Storage storage,
      Path file,
      int headerBytes,
      long payloadBytes,
      ByteBuffer[] blocks,
      int[] blockCrcs,
      int expectedBlocksCrc)
      throws IOException {
    CRC32C blocksCrc = new CRC32C();
    long storedBytes = payloadBytes + (long) FramedFile.CRC_BYTES * blocks.length;
    for (int first = 0; first < blocks.length; first += BLOCKS_PER_MAPPING) {
      long start = (long) first * STORED_BLOCK_BYTES;
      long length = Math.min((long) BLOCKS_PER_MAPPING * STORED_BLOCK_BYTES, storedBytes - start);
      ByteBuffer mapping = map(storage, file, headerBytes + start, length);
      int last = Math.min(blocks.length, first + BLOCKS_PER_MAPPING);
      for (int i = first; i < last; i++) {
        int position = (i - first) * STORED_BLOCK_BYTES;
        int blockBytes =
            (int)
                Math.min(FramedFile.BLOCK_BYTES, payloadBytes - (long) i * FramedFile.BLOCK_BYTES);
        blocks[i] = mapping.slice(position, blockBytes).order(ByteOrder.LITTLE_ENDIAN);
        blockCrcs[i] = mapping.getInt(position + blockBytes);
        blocksCrc.update(mapping.slice(position + blockBytes, FramedFile.CRC_BYTES));
      }
    }
    if ((int) blocksCrc.getValue() != expectedBlocksCrc) {
      throw new CorruptFileException(
          "%s is damaged: its block checksums do not match the one in its footer; write it again."
              .formatted(file));
    }
  }

  private void checkBlock(int index) {
    CRC32C crc = new CRC32C();
    crc.update(blocks[index].duplicate());
    if ((int) crc.getValue() != blockCrcs[index]) {
      throw new CorruptFileException(
          "%s is damaged: the checksum of block %d at offset %d does not match; write it again."
              .formatted(file, index, headerBytes + (long) index * STORED_BLOCK_BYTES));
    }
    checked[index] = true;
  }

  private static ByteBuffer map(Storage storage, Path file, long position, long size)
      throws IOException {
    ByteBuffer buffer = storage.map(file, position, size);
    Verify.verify(buffer.remaining() == size, "%s was mapped short", file);
    return buffer.order(ByteOrder.LITTLE_ENDIAN);
  }
}
