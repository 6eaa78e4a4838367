package org.lathe.export.verification;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FormatTooNewException;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.Storage;

/** Recorded outputs beside a SavedModel, so that a fresh process can check its parity. */
public final class ReferenceFile {
  /** Below the version directory. */
  public static final String PATH = "assets.extra/reference.json";

  /** More would only cost time. */
  public static final int MAX_CASES = 64;

  private static final String FORMAT = "lathe-reference";
  private static final long VERSION = 1;

  private ReferenceFile() {}

  public static void write(Storage storage, Path versionDirectory, List<ReferenceCase> cases) {
    List<Map<String, Object>> items = new ArrayList<>();
    for (ReferenceCase each : cases) {
      Map<String, Object> item = new LinkedHashMap<>();
      item.put("prompt", each.prompt());
      item.put("words", each.words());
      item.put("logProbabilities", each.logProbabilities());
      item.put("mostLikely", each.mostLikely());
      items.add(item);
    }
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("format", FORMAT);
    object.put("version", VERSION);
    object.put("cases", items);
    JsonFile.write(storage, versionDirectory.resolve(PATH), object);
  }

  /**
   * @throws CorruptFileException when it is missing or not what write makes
   * @throws FormatTooNewException when a newer Lathe wrote it
   */
  public static List<ReferenceCase> read(Storage storage, Path versionDirectory) {
    Path file = versionDirectory.resolve(PATH);
    Map<String, Object> object = JsonFile.read(storage, file);
    if (!FORMAT.equals(object.get("format"))) {
      throw corrupt(file, "format", FORMAT, object.get("format"));
    }
    if (!(object.get("version") instanceof Long version) || version < 1) {
      throw corrupt(file, "version", "a number from 1", object.get("version"));
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
    List<?> items = list(file, "cases", object.get("cases"));
    if (items.isEmpty() || items.size() > MAX_CASES) {
      throw corrupt(file, "cases", "1 to " + MAX_CASES + " cases", items.size());
    }
    List<ReferenceCase> cases = new ArrayList<>();
    for (Object item : items) {
      if (!(item instanceof Map<?, ?> fields)) {
        throw corrupt(file, "cases", "objects", item);
      }
      cases.add(referenceCase(file, fields));
    }
    return cases;
  }

  private static ReferenceCase referenceCase(Path file, Map<?, ?> fields) {
    int[] words = ids(file, "words", fields.get("words"));
    List<?> numbers = list(file, "logProbabilities", fields.get("logProbabilities"));
    if (numbers.size() != words.length) {
      throw corrupt(file, "logProbabilities", words.length + " numbers", numbers.size());
    }
    float[] values = new float[words.length];
    for (int i = 0; i < values.length; i++) {
      if (!(numbers.get(i) instanceof Number number)) {
        throw corrupt(file, "logProbabilities", "numbers", numbers.get(i));
      }
      values[i] = number.floatValue();
    }
    return new ReferenceCase(
        ids(file, "prompt", fields.get("prompt")),
        words,
        values,
        id(file, "mostLikely", fields.get("mostLikely")));
  }

  private static int[] ids(Path file, String field, @Nullable Object value) {
    List<?> list = list(file, field, value);
    int[] ids = new int[list.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = id(file, field, list.get(i));
    }
    return ids;
  }

  private static int id(Path file, String field, @Nullable Object value) {
    if (!(value instanceof Long id) || id < 0 || id > Integer.MAX_VALUE) {
      throw corrupt(file, field, "a word id", value);
    }
    return id.intValue();
  }

  private static List<?> list(Path file, String field, @Nullable Object value) {
    if (!(value instanceof List<?> list)) {
      throw corrupt(file, field, "a list", value);
    }
    return list;
  }

  private static CorruptFileException corrupt(
      Path file, String field, String expected, @Nullable Object found) {
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
