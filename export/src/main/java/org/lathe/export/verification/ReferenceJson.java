package org.lathe.export.verification;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.export.format.VersionFiles;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FormatTooNewException;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.Storage;

/** What files of recorded outputs have in common: a head, a list of cases, lists of numbers. */
final class ReferenceJson {
  /** More would only cost time. */
  static final int MAX_CASES = 64;

  private static final long VERSION = 1;

  private final Path file;

  /** The file of a version directory. */
  ReferenceJson(Path versionDirectory) {
    this.file = path(versionDirectory);
  }

  static Path path(Path versionDirectory) {
    return versionDirectory.resolve(VersionFiles.EXTRA).resolve(VersionFiles.REFERENCE);
  }

  void write(Storage storage, String format, List<Map<String, Object>> cases) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("format", format);
    object.put("version", VERSION);
    object.put("cases", cases);
    JsonFile.write(storage, file, object);
  }

  /**
   * The cases' fields.
   *
   * @throws CorruptFileException when it is missing or not what write makes
   * @throws FormatTooNewException when a newer Lathe wrote it
   */
  List<Map<?, ?>> read(Storage storage, String format) {
    Map<String, Object> object = JsonFile.read(storage, file);
    if (!format.equals(object.get("format"))) {
      throw corrupt("format", format, object.get("format"));
    }
    if (!(object.get("version") instanceof Long version) || version < 1) {
      throw corrupt("version", "a number from 1", object.get("version"));
    }
    if (version > VERSION) {
      throw new FormatTooNewException(
          file
              + " has format version "
              + version
              + "; this Lathe reads up to "
              + VERSION
              + ". Use a newer Lathe.");
    }
    List<?> items = list("cases", object.get("cases"));
    if (items.isEmpty() || items.size() > MAX_CASES) {
      throw corrupt("cases", "1 to " + MAX_CASES + " cases", items.size());
    }
    List<Map<?, ?>> cases = new ArrayList<>();
    for (Object item : items) {
      cases.add(object("cases", item));
    }
    return cases;
  }

  Map<?, ?> object(String field, @Nullable Object value) {
    if (!(value instanceof Map<?, ?> fields)) {
      throw corrupt(field, "objects", value);
    }
    return fields;
  }

  float[] floats(String field, @Nullable Object value) {
    List<?> numbers = list(field, value);
    float[] values = new float[numbers.size()];
    for (int i = 0; i < values.length; i++) {
      if (!(numbers.get(i) instanceof Number number)) {
        throw corrupt(field, "numbers", numbers.get(i));
      }
      values[i] = number.floatValue();
    }
    return values;
  }

  int[] ids(String field, @Nullable Object value) {
    List<?> list = list(field, value);
    int[] ids = new int[list.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = id(field, list.get(i));
    }
    return ids;
  }

  int id(String field, @Nullable Object value) {
    if (!(value instanceof Long id) || id < 0 || id > Integer.MAX_VALUE) {
      throw corrupt(field, "a word id", value);
    }
    return id.intValue();
  }

  private List<?> list(String field, @Nullable Object value) {
    if (!(value instanceof List<?> list)) {
      throw corrupt(field, "a list", value);
    }
    return list;
  }

  CorruptFileException corrupt(String field, String expected, @Nullable Object found) {
    return new CorruptFileException(
        file
            + ", field "
            + field
            + ": expected "
            + expected
            + ", found "
            + found
            + ". Copy the directory again or export the model again.");
  }
}
