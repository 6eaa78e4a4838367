package org.lathe.export.format;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.Storage;

/**
 * What a caller of a served encoder must know before the first call: the object "encoder" of its
 * signature.json.
 *
 * @param vocabularySize V; other ids are taken for the nearest in [0, V)
 * @param maxLength tokens of a row at most
 * @param taskLength tokens of a row at most when the task was learned: longer rows are answered by
 *     positions that were not fine-tuned
 * @param paddingId the id that the signature ids_only takes for padding
 * @param labels of a classifier's classes in order; empty when they have no names
 */
public record EncoderFacts(
    int vocabularySize, int maxLength, int taskLength, int paddingId, List<String> labels) {
  /** Its key in the file. */
  public static final String KEY = "encoder";

  private static final String VOCABULARY_SIZE = "vocabularySize";
  private static final String MAX_LENGTH = "maxLength";
  private static final String TASK_LENGTH = "taskLength";
  private static final String PADDING_ID = "paddingId";
  private static final String LABELS = "labels";

  public EncoderFacts {
    Preconditions.checkArgument(
        vocabularySize > 1, "vocabularySize (%s) must be at least 2", vocabularySize);
    Preconditions.checkArgument(maxLength > 0, "maxLength (%s) must be positive", maxLength);
    Preconditions.checkArgument(
        taskLength > 0 && taskLength <= maxLength,
        "taskLength (%s) must be in [1, maxLength = %s]",
        taskLength,
        maxLength);
    Preconditions.checkArgument(
        paddingId >= 0 && paddingId < vocabularySize,
        "paddingId (%s) must be in [0, vocabularySize = %s)",
        paddingId,
        vocabularySize);
    labels = ImmutableList.copyOf(labels);
  }

  /** JSON types only. */
  public Map<String, Object> toJson() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put(VOCABULARY_SIZE, vocabularySize);
    object.put(MAX_LENGTH, maxLength);
    object.put(TASK_LENGTH, taskLength);
    object.put(PADDING_ID, paddingId);
    object.put(LABELS, labels);
    return object;
  }

  /**
   * @param versionDirectory models/NAME/VERSION
   * @throws CorruptFileException when the file is missing or holds something else
   */
  public static EncoderFacts read(Storage storage, Path versionDirectory) {
    Path file = versionDirectory.resolve(VersionFiles.EXTRA).resolve(VersionFiles.SIGNATURE);
    if (!(JsonFile.read(storage, file).get(KEY) instanceof Map<?, ?> object)) {
      throw corrupt(file, KEY, "an object", "something else");
    }
    ImmutableList.Builder<String> labels = ImmutableList.builder();
    if (!(object.get(LABELS) instanceof List<?> names)) {
      throw corrupt(file, LABELS, "a list", object.get(LABELS));
    }
    for (Object name : names) {
      if (!(name instanceof String text)) {
        throw corrupt(file, LABELS, "names", name);
      }
      labels.add(text);
    }
    int vocabularySize = number(file, object, VOCABULARY_SIZE, 2, Integer.MAX_VALUE);
    int maxLength = number(file, object, MAX_LENGTH, 1, Integer.MAX_VALUE);
    // versions from before it was there say nothing of the task
    int taskLength =
        object.containsKey(TASK_LENGTH)
            ? number(file, object, TASK_LENGTH, 1, maxLength)
            : maxLength;
    return new EncoderFacts(
        vocabularySize,
        maxLength,
        taskLength,
        number(file, object, PADDING_ID, 0, vocabularySize - 1),
        labels.build());
  }

  private static int number(Path file, Map<?, ?> object, String field, int low, int high) {
    if (!(object.get(field) instanceof Long value) || value < low || value > high) {
      throw corrupt(file, field, "a number from " + low + " to " + high, object.get(field));
    }
    return value.intValue();
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
            + ". Copy the directory again or export the encoder again.");
  }
}
