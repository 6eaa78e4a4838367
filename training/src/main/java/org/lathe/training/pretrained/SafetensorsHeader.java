package org.lathe.training.pretrained;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.google.common.io.ByteStreams;
import com.google.common.primitives.Longs;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.SequenceInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.Storage;

/**
 * The header of a safetensors file: a length of 8 bytes, then so many bytes of JSON that give each
 * tensor's type, shape and place in the rest of the file. Every rule of the format is checked: the
 * tensors cover the rest without holes or overlaps, no name stands twice, sizes fit shapes.
 *
 * <p>The JSON is walked token by token, so that memory grows with the tensors found and with
 * nothing that a number in the file merely claims.
 */
final class SafetensorsHeader {
  static final int LENGTH_BYTES = 8;
  static final String METADATA = "__metadata__";
  private static final String NEXT_STEP = "; download or convert the checkpoint again.";

  /**
   * One tensor.
   *
   * @param position of its first byte in the file
   */
  record Entry(TensorType type, long[] shape, long position, long numValues) {
    long sizeBytes() {
      return numValues * type.sizeBytes();
    }
  }

  private final Path file;
  private final SafetensorsLimits limits;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  private SafetensorsHeader(Path file, SafetensorsLimits limits) {
    this.file = file;
    this.limits = limits;
  }

  /**
   * Tensors by name, in the order of the header.
   *
   * @throws CorruptFileException when the file breaks a rule of the format or passes a limit
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  static Map<String, Entry> read(Storage storage, Path file, SafetensorsLimits limits) {
    SafetensorsHeader header = new SafetensorsHeader(file, limits);
    long fileBytes = IoGuard.call(storage, "read", file, () -> storage.size(file));
    try (InputStream in = storage.open(file)) {
      long headerBytes = header.headerBytes(in, fileBytes);
      header.parse(ByteStreams.limit(in, headerBytes), LENGTH_BYTES + headerBytes);
      header.requireCoverage(LENGTH_BYTES + headerBytes, fileBytes);
    } catch (CharacterCodingException e) {
      throw new CorruptFileException(file + ": its header is not UTF-8" + NEXT_STEP, e);
    } catch (JsonProcessingException e) {
      throw new CorruptFileException(
          file + ": its header is not valid JSON: " + e.getOriginalMessage() + NEXT_STEP, e);
    } catch (IOException e) {
      throw IoGuard.failed(storage, "read", file, e);
    }
    return header.entries;
  }

  private long headerBytes(InputStream in, long fileBytes) throws IOException {
    byte[] start = in.readNBytes(LENGTH_BYTES);
    if (start.length < LENGTH_BYTES) {
      throw corrupt(
          "has " + start.length + " bytes, expected at least the 8 of the header's length");
    }
    long length = ByteBuffer.wrap(start).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (length < 0 || length > limits.headerBytes()) {
      throw corrupt(
          "claims a header of "
              + Long.toUnsignedString(length)
              + " bytes, the limit is "
              + limits.headerBytes());
    }
    if (length > fileBytes - LENGTH_BYTES) {
      throw corrupt("claims a header of " + length + " bytes, but the whole file has " + fileBytes);
    }
    return length;
  }

  private void parse(InputStream json, long dataStart) throws IOException {
    int first = json.read();
    if (first != '{') {
      throw corrupt("its header starts with byte " + first + ", expected '{'");
    }
    Reader text =
        new InputStreamReader(
            new SequenceInputStream(new ByteArrayInputStream(new byte[] {'{'}), json),
            StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT));
    try (JsonParser parser = factory().createParser(text)) {
      require(parser.nextToken(), JsonToken.START_OBJECT, "the header");
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        if (name.equals(METADATA)) {
          skipMetadata(parser);
        } else {
          entries.put(name, tensor(parser, name, dataStart));
          if (entries.size() > limits.tensors()) {
            throw corrupt("holds more than the limit of " + limits.tensors() + " tensors");
          }
        }
      }
      if (parser.nextToken() != null) {
        throw corrupt("its header goes on after the closing '}'");
      }
    }
  }

  private JsonFactory factory() {
    return JsonFactory.builder()
        .streamReadConstraints(
            StreamReadConstraints.builder()
                .maxNestingDepth(JsonFile.MAX_DEPTH)
                .maxNameLength(limits.nameLength())
                .maxStringLength(limits.stringLength())
                .build())
        .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
        // names come once each: a table of them would only take memory, and collisions time
        .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
        .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
        .build();
  }

  private void skipMetadata(JsonParser parser) throws IOException {
    require(parser.nextToken(), JsonToken.START_OBJECT, METADATA);
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      require(parser.nextToken(), JsonToken.VALUE_STRING, METADATA + "." + parser.currentName());
      if (parser.getTextLength() > limits.stringLength()) {
        throw corrupt("holds a string longer than " + limits.stringLength());
      }
    }
  }

  private Entry tensor(JsonParser parser, String name, long dataStart) throws IOException {
    require(parser.nextToken(), JsonToken.START_OBJECT, name);
    @Nullable TensorType type = null;
    long @Nullable [] shape = null;
    long @Nullable [] offsets = null;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      switch (parser.currentName()) {
        case "dtype" -> type = type(parser, name);
        case "shape" -> shape = numbers(parser, name + ".shape", limits.dimensions());
        case "data_offsets" -> offsets = numbers(parser, name + ".data_offsets", 2);
        default ->
            throw corrupt(
                "tensor '%s' has the unknown field '%s'".formatted(name, parser.currentName()));
      }
    }
    if (type == null || shape == null || offsets == null || offsets.length != 2) {
      throw corrupt("tensor '%s' needs dtype, shape and two data_offsets".formatted(name));
    }
    long numValues = 1;
    long sizeBytes;
    try {
      for (long size : shape) {
        numValues = Math.multiplyExact(numValues, size);
      }
      sizeBytes = Math.multiplyExact(numValues, (long) type.sizeBytes());
    } catch (ArithmeticException e) {
      throw corrupt(
          "tensor '%s' has a shape beyond all numbers: %s".formatted(name, Longs.asList(shape)));
    }
    if (offsets[1] < offsets[0] || offsets[1] - offsets[0] != sizeBytes) {
      throw corrupt(
          "tensor '%s' of type %s and shape %s needs %d bytes, its offsets are %d to %d"
              .formatted(name, type, Longs.asList(shape), sizeBytes, offsets[0], offsets[1]));
    }
    if (offsets[1] > Long.MAX_VALUE - dataStart) {
      throw corrupt("tensor '%s' ends at %d, beyond any file".formatted(name, offsets[1]));
    }
    return new Entry(type, shape, dataStart + offsets[0], numValues);
  }

  private TensorType type(JsonParser parser, String name) throws IOException {
    require(parser.nextToken(), JsonToken.VALUE_STRING, name + ".dtype");
    @Nullable TensorType type = TensorType.named(parser.getText());
    if (type == null) {
      throw corrupt("tensor '%s' has the unknown dtype '%s'".formatted(name, parser.getText()));
    }
    return type;
  }

  private long[] numbers(JsonParser parser, String where, int most) throws IOException {
    require(parser.nextToken(), JsonToken.START_ARRAY, where);
    List<Long> numbers = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      require(parser.currentToken(), JsonToken.VALUE_NUMBER_INT, where);
      long number = parser.getLongValue();
      if (number < 0) {
        throw corrupt("%s holds %d, expected numbers from 0".formatted(where, number));
      }
      numbers.add(number);
      if (numbers.size() > most) {
        throw corrupt("%s holds more than %d numbers".formatted(where, most));
      }
    }
    return Longs.toArray(numbers);
  }

  /** Tensors in order of their places must follow each other from the header to the end. */
  private void requireCoverage(long dataStart, long fileBytes) {
    List<Map.Entry<String, Entry>> byPlace = new ArrayList<>(entries.entrySet());
    // empty tensors first where several start at one place
    byPlace.sort(
        Comparator.comparingLong((Map.Entry<String, Entry> e) -> e.getValue().position())
            .thenComparingLong(e -> e.getValue().sizeBytes()));
    long end = dataStart;
    for (Map.Entry<String, Entry> entry : byPlace) {
      long position = entry.getValue().position();
      if (position != end) {
        throw corrupt(
            "tensor '%s' starts at byte %d of the data, expected %d: %s"
                .formatted(
                    entry.getKey(),
                    position - dataStart,
                    end - dataStart,
                    position < end ? "tensors overlap" : "there is a hole"));
      }
      end += entry.getValue().sizeBytes();
    }
    if (end != fileBytes) {
      throw corrupt("its tensors end at byte %d, the file has %d bytes".formatted(end, fileBytes));
    }
  }

  private void require(@Nullable JsonToken found, JsonToken expected, String where) {
    if (found != expected) {
      throw corrupt(
          "expected %s at '%s' of its header, found %s".formatted(expected, where, found));
    }
  }

  private CorruptFileException corrupt(String what) {
    return new CorruptFileException(file + ": " + what + NEXT_STEP);
  }
}
