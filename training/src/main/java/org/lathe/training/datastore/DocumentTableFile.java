package org.lathe.training.datastore;

import com.google.common.base.Preconditions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.FramedFileReader;
import org.lathe.training.files.FramedFileWriter;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/**
 * The documents of a part, in the order of their items.
 *
 * <pre>
 * payload  number of documents i32 | per document: first position i64, items i32, name length i32,
 *          name, UTF-8
 * </pre>
 */
final class DocumentTableFile {
  /** Longer names are refused. */
  static final int MAX_NAME_BYTES = 1 << 12;

  /** The number that stands for the document table in a file id; segments count from 0. */
  static final int FILE_NUMBER = -1;

  private static final String KIND = "datastore-documents";
  private static final int VERSION = 1;
  private static final int ENTRY_BYTES = Long.BYTES + 2 * Integer.BYTES;

  /**
   * @param firstPosition of its first token in the source
   * @param numItems that the part holds of it
   */
  record Entry(String name, long firstPosition, int numItems) {}

  private DocumentTableFile() {}

  /** Bytes that a document of this name takes. */
  static long sizeBytes(String name) {
    return (long) ENTRY_BYTES + name.getBytes(StandardCharsets.UTF_8).length;
  }

  static void write(Storage storage, Path file, byte[] id, List<Entry> entries) throws IOException {
    try (FramedFileWriter out = new FramedFileWriter(storage, file, KIND, VERSION, id)) {
      out.writeInt(entries.size());
      for (Entry entry : entries) {
        byte[] name = entry.name().getBytes(StandardCharsets.UTF_8);
        Preconditions.checkArgument(
            name.length <= MAX_NAME_BYTES, "the document name %s is too long", entry.name());
        out.writeLong(entry.firstPosition());
        out.writeInt(entry.numItems());
        out.writeInt(name.length);
        out.write(name);
      }
      out.finish();
    }
  }

  /**
   * @throws CorruptFileException when it is damaged or not the file of this id
   */
  static List<Entry> read(Storage storage, Path file, byte[] id) {
    if (!storage.exists(file)) {
      throw corrupt(file, "it is missing");
    }
    try (FramedFileReader in =
        IoGuard.call(
            storage, "read", file, () -> FramedFileReader.open(storage, file, KIND, VERSION))) {
      SegmentReader.requireId(in, id);
      check(file, in.size() >= Integer.BYTES, "its payload is too short");
      int numDocuments = in.intAt(0);
      long position = Integer.BYTES;
      check(
          file,
          numDocuments >= 0 && numDocuments <= (in.size() - position) / ENTRY_BYTES,
          "it promises " + numDocuments + " documents, more than it holds");
      List<Entry> entries = new ArrayList<>(numDocuments);
      for (int i = 0; i < numDocuments; i++) {
        check(file, in.size() - position >= ENTRY_BYTES, "it ends inside document " + i);
        ByteBuffer entry = bytes(in, position, ENTRY_BYTES);
        long firstPosition = entry.getLong();
        int numItems = entry.getInt();
        int nameBytes = entry.getInt();
        position += ENTRY_BYTES;
        check(
            file,
            firstPosition >= 0 && numItems >= 0 && firstPosition <= Long.MAX_VALUE - numItems,
            "document " + i + " has " + numItems + " items from position " + firstPosition);
        check(
            file,
            nameBytes >= 0 && nameBytes <= MAX_NAME_BYTES && nameBytes <= in.size() - position,
            "the name of document " + i + " has " + nameBytes + " bytes");
        entries.add(
            new Entry(name(file, bytes(in, position, nameBytes), i), firstPosition, numItems));
        position += nameBytes;
      }
      check(file, position == in.size(), "it is longer than its documents");
      return entries;
    }
  }

  private static String name(Path file, ByteBuffer bytes, int document) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw corrupt(file, "the name of document " + document + " is not UTF-8");
    }
  }

  private static ByteBuffer bytes(FramedFileReader in, long position, int length) {
    byte[] bytes = new byte[length];
    in.read(position, bytes, 0, length);
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void check(Path file, boolean condition, String problem) {
    if (!condition) {
      throw corrupt(file, problem);
    }
  }

  private static CorruptFileException corrupt(Path file, String problem) {
    return new CorruptFileException(
        file
            + " is not a sound document table: "
            + problem
            + "; restore the store from a copy or build it again");
  }
}
