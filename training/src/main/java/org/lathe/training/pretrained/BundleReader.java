package org.lathe.training.pretrained;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.Storage;
import org.lathe.training.weights.TensorBundle;
import org.tensorflow.exceptions.TensorFlowException;
import org.tensorflow.ndarray.Shape;

/**
 * Variables of a TensorFlow checkpoint or SavedModel, version 1 or 2. Names and shapes come from
 * the index, which is checked before TensorFlow reads the values and their checksums; no graph of
 * the model is ever loaded.
 */
public final class BundleReader implements TensorSource {
  private final Path prefix;
  private final Map<String, BundleIndex.Entry> entries;

  private BundleReader(Path prefix, Map<String, BundleIndex.Entry> entries) {
    this.prefix = prefix;
    this.entries = entries;
  }

  /**
   * Reads and checks the index.
   *
   * @param prefix path without ".index", "DIR/variables/variables" in a SavedModel
   * @throws CorruptFileException when the index is damaged, passes a limit, or leads outside its
   *     data files
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  public static BundleReader open(Storage storage, Path prefix) {
    return new BundleReader(prefix, BundleIndex.read(storage, prefix));
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(entries.keySet());
  }

  @Override
  public Shape shape(String name) {
    return Shape.of(entry(name).shape());
  }

  @Override
  public Weights.Array read(String name) {
    if (!entry(name).isFloat() || shape(name).size() > FloatValues.MAX_ARRAY_LENGTH) {
      throw new CorruptFileException(
          "%s: variable '%s' of shape %s is not float32 in one piece of at most %d values."
              .formatted(prefix, name, shape(name), FloatValues.MAX_ARRAY_LENGTH));
    }
    try {
      return TensorBundle.read(prefix, List.of(name)).get(name);
    } catch (TensorFlowException | ClassCastException e) {
      throw new CorruptFileException(
          "%s: variable '%s' cannot be read (%s); download the checkpoint again."
              .formatted(prefix, name, firstLine(e)),
          e);
    }
  }

  /** Where a variable of this name has its kernel: (in, out), as the name says. */
  @Override
  public boolean liesInOut(String name) {
    return true;
  }

  @Override
  public String place() {
    return prefix.toString();
  }

  private BundleIndex.Entry entry(String name) {
    BundleIndex.Entry entry = entries.get(name);
    if (entry == null) {
      throw new CorruptFileException(
          "%s holds no variable '%s'; it holds %d others.".formatted(prefix, name, entries.size()));
    }
    return entry;
  }

  private static String firstLine(RuntimeException e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }
}
