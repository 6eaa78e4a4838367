package org.lathe.training.datastore;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.lathe.training.files.FramedFile;
import org.lathe.training.files.FramedFileWriter;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/**
 * Writes the files of a part. Each is written under another name, synced and renamed, so that a
 * file with its name is complete.
 */
final class PartWriter {
  /** Header and footer of a frame of ours, rounded up. */
  private static final long FRAME_BYTES = 96;

  private static final int CRC_BYTES = 4;

  private final Storage storage;
  private final Path directory;

  /** What a segment's keys are written to; floats are rounded to float16. */
  interface KeyOutput {
    void write(float[] keys, int from, int length) throws IOException;

    /** Keys as they lie in another segment. */
    void writeBytes(byte[] bytes) throws IOException;
  }

  /** Gives all keys of a segment, in order. */
  interface KeySource {
    void writeTo(KeyOutput out) throws IOException;
  }

  PartWriter(Storage storage, Path directory) {
    this.storage = storage;
    this.directory = directory;
    IoGuard.run(
        storage,
        "create",
        directory,
        () -> {
          storage.createDirectories(directory);
          Path parent = directory.toAbsolutePath().getParent();
          if (parent != null) {
            storage.force(parent);
          }
        });
  }

  /** Whether this segment is complete. */
  boolean hasSegment(int segment) {
    return storage.exists(TableStore.segment(directory, segment));
  }

  void writeSegment(int segment, byte[] id, int width, int[] values, KeySource keys) {
    Path file = TableStore.segment(directory, segment);
    publish(
        file,
        partial -> {
          try (FramedFileWriter out =
              new FramedFileWriter(
                  storage, partial, SegmentReader.KIND, SegmentReader.VERSION, id)) {
            out.writeInt(values.length);
            out.writeInt(width);
            for (int value : values) {
              out.writeInt(value);
            }
            keys.writeTo(halves(out));
            if (out.position() != SegmentReader.payloadBytes(values.length, width)) {
              throw new IllegalStateException(
                  file + " got keys for other than " + values.length + " items");
            }
            out.finish();
          }
        });
  }

  void writeDocuments(byte[] id, List<DocumentTableFile.Entry> entries) {
    publish(
        TableStore.documents(directory),
        partial -> DocumentTableFile.write(storage, partial, id, entries));
  }

  private static KeyOutput halves(FramedFileWriter out) {
    return new KeyOutput() {
      @Override
      public void write(float[] keys, int from, int length) throws IOException {
        for (int i = from; i < from + length; i++) {
          out.writeShort(Float16.of(keys[i]));
        }
      }

      @Override
      public void writeBytes(byte[] bytes) throws IOException {
        out.write(bytes);
      }
    };
  }

  private interface Content {
    void writeTo(Path file) throws IOException;
  }

  private void publish(Path file, Content content) {
    Path partial = file.resolveSibling(file.getFileName() + TableStore.PARTIAL);
    boolean published = false;
    try {
      storage.delete(partial);
      content.writeTo(partial);
      storage.force(partial);
      storage.move(partial, file);
      storage.force(directory);
      published = true;
    } catch (IOException e) {
      throw IoGuard.failed(storage, "write", file, e);
    } finally {
      if (!published) {
        deleteQuietly(partial);
      }
    }
  }

  private void deleteQuietly(Path partial) {
    try {
      storage.delete(partial);
    } catch (IOException e) {
      // the failure that led here is being reported; the next try deletes first
    }
  }

  /** Size on disk of a framed file with this payload, within a few bytes. */
  static long fileBytes(long payloadBytes) {
    long blocks = (payloadBytes + FramedFile.BLOCK_BYTES - 1) / FramedFile.BLOCK_BYTES;
    return FRAME_BYTES + payloadBytes + CRC_BYTES * blocks;
  }
}
