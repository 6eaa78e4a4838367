package org.lathe.training.files;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;

/**
 * Small JSON objects on disk, with limits. Whole numbers come back as Long (BigInteger beyond
 * that), others as Double; NaN and infinities are written as strings. Nested keys are sorted, so
 * that equal content gives equal bytes.
 */
public final class JsonFile {
  /** Size limit of a file, when read and when written. */
  public static final int MAX_SIZE_BYTES = 16 << 20;

  /** Limit of nesting. */
  public static final int MAX_DEPTH = 64;

  private static final ObjectMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxStringLength(MAX_SIZE_BYTES)
                          .maxDocumentLength(MAX_SIZE_BYTES)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_LONG_FOR_INTS)
          .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
          .build();

  private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};

  private JsonFile() {}

  /**
   * Writes a new file; not forced.
   *
   * @throws FailedException when it exists, cannot be written, or passes the size limit
   */
  public static void write(Storage storage, Path file, Map<String, ?> object) {
    writeBytes(storage, file, format(object).getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Writes a file that may be there already: a sibling is written, forced and renamed over it.
   *
   * @throws FailedException when it cannot be written or passes the size limit
   */
  public static void replace(Storage storage, Path file, Map<String, ?> object) {
    Path staging = file.resolveSibling(file.getFileName() + ".staging");
    IoGuard.run(storage, "write", file, () -> storage.delete(staging));
    write(storage, staging, object);
    IoGuard.run(
        storage,
        "write",
        file,
        () -> {
          storage.force(staging);
          storage.move(staging, file);
          Path directory = file.toAbsolutePath().getParent();
          if (directory != null) {
            storage.force(directory);
          }
        });
  }

  /**
   * @throws CorruptFileException when it is absent, too large, or not one JSON object
   * @throws FailedException when the disk fails
   */
  public static Map<String, Object> read(Storage storage, Path file) {
    return parse(readBytes(storage, file), file);
  }

  /** The text of an object: sorted keys, two spaces of indentation, one line feed at the end. */
  static String format(Map<String, ?> object) {
    DefaultIndenter indenter = new DefaultIndenter("  ", "\n");
    ObjectWriter writer =
        MAPPER.writer(
            new DefaultPrettyPrinter().withObjectIndenter(indenter).withArrayIndenter(indenter));
    try {
      return writer.writeValueAsString(object) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("not representable as JSON: " + e.getOriginalMessage(), e);
    }
  }

  static Map<String, Object> parse(byte[] bytes, Path file) {
    try {
      Map<String, Object> object = MAPPER.readValue(bytes, OBJECT);
      if (object == null) {
        throw new CorruptFileException(file + ": expected a JSON object, found null");
      }
      return object;
    } catch (JsonProcessingException e) {
      throw new CorruptFileException(
          file + ": not a valid JSON object at " + place(e) + ": " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new CorruptFileException(file + ": not readable as JSON: " + e.getMessage(), e);
    }
  }

  static byte[] readBytes(Storage storage, Path file) {
    try (InputStream in = storage.open(file)) {
      byte[] bytes = in.readNBytes(MAX_SIZE_BYTES + 1);
      if (bytes.length > MAX_SIZE_BYTES) {
        throw new CorruptFileException(
            file + ": larger than the limit of " + MAX_SIZE_BYTES + " bytes for such a file");
      }
      return bytes;
    } catch (NoSuchFileException | FileNotFoundException e) {
      throw new CorruptFileException(
          file + " is missing: this directory is incomplete or not one of Lathe's", e);
    } catch (IOException e) {
      throw IoGuard.failed(storage, "read", file, e);
    }
  }

  static void writeBytes(Storage storage, Path file, byte[] bytes) {
    if (bytes.length > MAX_SIZE_BYTES) {
      throw new FailedException(
          file + " would have " + bytes.length + " bytes, the limit is " + MAX_SIZE_BYTES);
    }
    IoGuard.run(
        storage,
        "write",
        file,
        () -> {
          try (OutputStream out = storage.create(file)) {
            out.write(bytes);
          }
        });
  }

  private static String place(JsonProcessingException e) {
    return e.getLocation() == null
        ? "an unknown place"
        : "line " + e.getLocation().getLineNr() + ", column " + e.getLocation().getColumnNr();
  }
}
