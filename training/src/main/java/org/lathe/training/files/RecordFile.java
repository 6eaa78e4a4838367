package org.lathe.training.files;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.AnnotatedMember;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.common.hash.Hashing;
import com.google.common.io.ByteStreams;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FormatTooNewException;

/**
 * A JSON file that holds one record: {@code {"format": ..., "version": ..., "sha256": ...,
 * "content": {...}}}, where sha256 is that of the content as compact JSON. Content is a record that
 * validates itself; {@link JsonFile} is for maps, without a checksum of their own.
 *
 * @param <T> the record
 */
public final class RecordFile<T> {
  /** More than any record of ours needs; a larger file is not read into memory. */
  public static final long MAX_SIZE_BYTES = 64L << 20;

  private static final int MAX_DEPTH = 16;
  private static final int MAX_NUMBER_LENGTH = 40;
  private static final int MAX_STRING_LENGTH = 4096;

  private static final ObjectMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxNumberLength(MAX_NUMBER_LENGTH)
                          .maxStringLength(MAX_STRING_LENGTH)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .annotationIntrospector(new EveryComponentRequired())
          .build();

  /**
   * A component must be there and not null, unless {@code @JsonInclude} leaves it out when null:
   * such a component came after the first files were written, and they still read and hash as they
   * did.
   */
  private static final class EveryComponentRequired extends JacksonAnnotationIntrospector {
    private static final long serialVersionUID = 1;

    @Override
    public Boolean hasRequiredMarker(AnnotatedMember member) {
      return !member.hasAnnotation(JsonInclude.class);
    }

    @Override
    public JsonSetter.Value findSetterInfo(Annotated member) {
      return JsonSetter.Value.forValueNulls(
          member.hasAnnotation(JsonInclude.class) ? Nulls.SET : Nulls.FAIL);
    }
  }

  @JsonPropertyOrder({"format", "version", "sha256", "content"})
  private record Envelope<C>(String format, int version, String sha256, C content) {}

  private final String format;
  private final int version;
  private final Class<T> type;

  /**
   * @param format the file's magic word
   * @param version written, and the newest that is read
   */
  public RecordFile(String format, int version, Class<T> type) {
    this.format = format;
    this.version = version;
    this.type = type;
  }

  /** Writes a sibling, syncs it and renames it over the file. */
  public void write(Storage storage, Path file, T content) throws IOException {
    byte[] bytes =
        MAPPER
            .writerWithDefaultPrettyPrinter()
            .writeValueAsBytes(new Envelope<>(format, version, sha256(content), content));
    Path staging = file.resolveSibling(file.getFileName() + ".staging");
    storage.delete(staging);
    try (OutputStream out = storage.create(staging)) {
      out.write(bytes);
    }
    storage.force(staging);
    storage.move(staging, file);
    Path directory = file.toAbsolutePath().getParent();
    if (directory != null) {
      storage.force(directory);
    }
  }

  /**
   * @throws CorruptFileException when it is damaged, foreign or of impossible content
   * @throws FormatTooNewException when its version is newer than this one's
   */
  public T read(Storage storage, Path file) throws IOException {
    long sizeBytes = storage.size(file);
    if (sizeBytes > MAX_SIZE_BYTES) {
      throw corrupt(
          file, "it has " + sizeBytes + " bytes, at most " + MAX_SIZE_BYTES + " expected");
    }
    byte[] bytes;
    try (InputStream in = storage.open(file)) {
      bytes = ByteStreams.toByteArray(ByteStreams.limit(in, MAX_SIZE_BYTES));
    }
    try {
      JsonNode root = MAPPER.readTree(bytes);
      checkHeader(file, root);
      T content = MAPPER.treeToValue(root.path("content"), type);
      if (content == null) {
        throw corrupt(file, "field 'content' is missing");
      }
      String expected = root.path("sha256").asText();
      String found = sha256(content);
      if (!expected.equals(found)) {
        throw corrupt(
            file, "its content has sha256 " + found + ", field 'sha256' says '" + expected + "'");
      }
      return content;
    } catch (JsonProcessingException e) {
      throw new CorruptFileException(
          file + " is not a sound " + format + " file: " + e.getOriginalMessage() + at(e), e);
    }
  }

  private void checkHeader(Path file, JsonNode root) {
    String foundFormat = root.path("format").asText();
    if (!foundFormat.equals(format)) {
      throw corrupt(file, "field 'format' is '" + foundFormat + "', expected '" + format + "'");
    }
    JsonNode foundVersion = root.path("version");
    if (!foundVersion.isInt() || foundVersion.intValue() < 1) {
      throw corrupt(file, "field 'version' is " + foundVersion + ", expected 1 to " + version);
    }
    if (foundVersion.intValue() > version) {
      throw new FormatTooNewException(
          file
              + " has version "
              + foundVersion
              + " of "
              + format
              + ", this Lathe reads up to "
              + version
              + ". Use the Lathe that wrote it, or a newer one.");
    }
  }

  private CorruptFileException corrupt(Path file, String what) {
    return new CorruptFileException(
        file
            + " is not a sound "
            + format
            + " file: "
            + what
            + ". Make it anew or restore a copy.");
  }

  private static String at(JsonProcessingException e) {
    return e.getLocation() == null
        ? ""
        : " (line "
            + e.getLocation().getLineNr()
            + ", offset "
            + e.getLocation().getByteOffset()
            + ")";
  }

  private String sha256(T content) throws JsonProcessingException {
    return Hashing.sha256().hashBytes(MAPPER.writeValueAsBytes(content)).toString();
  }
}
