package org.lathe.graphs.weights;

import com.google.common.base.Preconditions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.lathe.graphs.errors.GraphMismatchException;
import org.tensorflow.ndarray.Shape;

/**
 * Names to float32 arrays, in order: the one form in which weights travel between checkpoints,
 * imports, slimming and export. Arrays are row-major and not copied.
 */
public final class Weights {
  /** How many differing names an error lists. */
  private static final int LISTED_DIFFERENCES = 10;

  /** A float32 array with its shape. */
  public record Array(Shape shape, float[] values) {
    public Array {
      Preconditions.checkArgument(
          shape.size() == values.length,
          "shape %s needs %s values, found %s",
          shape,
          shape.size(),
          values.length);
    }
  }

  private final Map<String, Array> arrays = new LinkedHashMap<>();

  public Weights put(String name, Shape shape, float[] values) {
    arrays.put(name, new Array(shape, values));
    return this;
  }

  /** Puts all of these, in their order. */
  public Weights putAll(Weights others) {
    arrays.putAll(others.arrays);
    return this;
  }

  /** Those whose names begin so, in their order. */
  public Weights startingWith(String prefix) {
    Weights found = new Weights();
    arrays.forEach(
        (name, array) -> {
          if (name.startsWith(prefix)) {
            found.arrays.put(name, array);
          }
        });
    return found;
  }

  public boolean contains(String name) {
    return arrays.containsKey(name);
  }

  /**
   * @throws GraphMismatchException when there is none of that name
   */
  public Array get(String name) {
    Array array = arrays.get(name);
    if (array == null) {
      throw new GraphMismatchException(
          "weights hold no '" + name + "'; they hold " + arrays.size() + " other arrays");
    }
    return array;
  }

  public Set<String> names() {
    return arrays.keySet();
  }

  /** Number of values in all arrays. */
  public long numValues() {
    return arrays.values().stream().mapToLong(a -> a.values().length).sum();
  }

  /**
   * Checks that these weights hold exactly the expected names with the expected shapes.
   *
   * @param source what is being read, for the message
   * @throws GraphMismatchException listing at most ten differences
   */
  public void requireExactly(Map<String, Shape> expected, String source) {
    List<String> differences = new ArrayList<>();
    expected.forEach(
        (name, shape) -> {
          Array found = arrays.get(name);
          if (found == null) {
            differences.add(name + " is missing (expected shape " + shape + ")");
          } else if (!found.shape().equals(shape)) {
            differences.add(name + ": expected shape " + shape + ", found " + found.shape());
          }
        });
    arrays.keySet().stream()
        .filter(name -> !expected.containsKey(name))
        .forEach(name -> differences.add(name + " is not in the graph"));
    if (!differences.isEmpty()) {
      int listed = Math.min(differences.size(), LISTED_DIFFERENCES);
      throw new GraphMismatchException(
          source
              + " does not fit the model, "
              + differences.size()
              + " differences: "
              + String.join("; ", differences.subList(0, listed))
              + (listed < differences.size() ? "; ..." : "")
              + ". Use the configuration that it was made with, or another run directory.");
    }
  }
}
