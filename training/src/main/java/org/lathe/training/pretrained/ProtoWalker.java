package org.lathe.training.pretrained;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.LongConsumer;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/**
 * Walks a protobuf message field by field, without building an object for it: what nobody asks for
 * is skipped where it lies, and long values are told by their place. Nesting is followed only as
 * deep as the calls of {@link #message} do.
 */
final class ProtoWalker {
  /** What happens at a field; a field that it does not read must be skipped by it. */
  interface Fields {
    void field(int number) throws IOException;
  }

  /** Bytes of the file. */
  record Span(long position, int length) {}

  private final String place;
  private final CodedInputStream in;
  private final int length;
  private int tag;

  private ProtoWalker(String place, CodedInputStream in, int length) {
    this.place = place;
    this.length = length;
    this.in = in;
  }

  /**
   * Maps a whole file.
   *
   * @throws CorruptFileException when it is larger than protobuf's limit of 2 GiB
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  static ProtoWalker of(Storage storage, Path file) {
    long sizeBytes = IoGuard.call(storage, "read", file, () -> storage.size(file));
    if (sizeBytes > Integer.MAX_VALUE) {
      throw new CorruptFileException(
          file + ": has " + sizeBytes + " bytes, but such files have at most " + Integer.MAX_VALUE);
    }
    ByteBuffer bytes =
        sizeBytes == 0
            ? ByteBuffer.allocate(0)
            : IoGuard.call(storage, "read", file, () -> storage.map(file, 0, sizeBytes));
    return new ProtoWalker(file.toString(), CodedInputStream.newInstance(bytes), (int) sizeBytes);
  }

  /**
   * @param place for messages
   */
  static ProtoWalker of(byte[] bytes, String place) {
    return new ProtoWalker(place, CodedInputStream.newInstance(bytes), bytes.length);
  }

  /**
   * The message from here to the end.
   *
   * @throws CorruptFileException when it is none
   */
  void walk(Fields fields) {
    try {
      // without it a field may claim to end behind the last byte
      in.pushLimit(length);
      loop(fields);
    } catch (IOException e) {
      throw new CorruptFileException(
          "%s: no valid protobuf message at byte %d (%s); download or export the file again."
              .formatted(place, in.getTotalBytesRead(), firstSentence(e)),
          e);
    }
  }

  private static String firstSentence(IOException e) {
    String message = String.valueOf(e.getMessage());
    int end = message.indexOf('.');
    return end < 0 ? message : message.substring(0, end);
  }

  /** The message that is the present field's value. */
  void message(Fields fields) throws IOException {
    require(WireFormat.WIRETYPE_LENGTH_DELIMITED);
    int outer = in.pushLimit(in.readRawVarint32());
    loop(fields);
    in.popLimit(outer);
  }

  long varint() throws IOException {
    require(WireFormat.WIRETYPE_VARINT);
    return in.readRawVarint64();
  }

  float float32() throws IOException {
    require(WireFormat.WIRETYPE_FIXED32);
    return in.readFloat();
  }

  /** Place of a value of bytes, which is skipped. */
  Span bytes() throws IOException {
    require(WireFormat.WIRETYPE_LENGTH_DELIMITED);
    int length = in.readRawVarint32();
    Span span = new Span(in.getTotalBytesRead(), length);
    in.skipRawBytes(length);
    return span;
  }

  /** A value of exactly so many bytes. */
  byte[] small(int numBytes) throws IOException {
    require(WireFormat.WIRETYPE_LENGTH_DELIMITED);
    int found = in.readRawVarint32();
    if (found != numBytes) {
      throw corrupt("has a value of " + found + " bytes, expected " + numBytes);
    }
    return in.readRawBytes(numBytes);
  }

  String text(int maxBytes) throws IOException {
    require(WireFormat.WIRETYPE_LENGTH_DELIMITED);
    int length = in.readRawVarint32();
    if (length < 0 || length > maxBytes) {
      throw corrupt(
          "has a name of " + Integer.toUnsignedString(length) + " bytes, the limit is " + maxBytes);
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(in.readRawBytes(length)))
          .toString();
    } catch (CharacterCodingException e) {
      throw corrupt("has a name that is not UTF-8");
    }
  }

  /** Whole numbers of a repeated field: this one, or all of a packed run. */
  void varints(LongConsumer each) throws IOException {
    if (WireFormat.getTagWireType(tag) == WireFormat.WIRETYPE_VARINT) {
      each.accept(in.readRawVarint64());
      return;
    }
    require(WireFormat.WIRETYPE_LENGTH_DELIMITED);
    int outer = in.pushLimit(in.readRawVarint32());
    while (!in.isAtEnd()) {
      each.accept(in.readRawVarint64());
    }
    in.popLimit(outer);
  }

  void skip() throws IOException {
    in.skipField(tag);
  }

  CorruptFileException corrupt(String what) {
    return new CorruptFileException(place + ": " + what + "; download or export the file again.");
  }

  private void loop(Fields fields) throws IOException {
    while (!in.isAtEnd()) {
      tag = in.readTag();
      int wireType = WireFormat.getTagWireType(tag);
      if (wireType == WireFormat.WIRETYPE_START_GROUP
          || wireType == WireFormat.WIRETYPE_END_GROUP) {
        throw corrupt(
            "holds a protobuf group at byte " + in.getTotalBytesRead() + ", expected none");
      }
      fields.field(WireFormat.getTagFieldNumber(tag));
    }
  }

  private void require(int wireType) {
    if (WireFormat.getTagWireType(tag) != wireType) {
      throw corrupt(
          "field %d at byte %d has wire type %d, expected %d"
              .formatted(
                  WireFormat.getTagFieldNumber(tag),
                  in.getTotalBytesRead(),
                  WireFormat.getTagWireType(tag),
                  wireType));
    }
  }
}
