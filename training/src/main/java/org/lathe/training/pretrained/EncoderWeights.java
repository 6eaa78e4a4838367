package org.lathe.training.pretrained;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.weights.Weights;
import org.tensorflow.ndarray.Shape;

/** Moves the arrays of a {@link NameMap} between a foreign checkpoint and {@link Weights}. */
final class EncoderWeights {
  private static final int LISTED_DIFFERENCES = 10;

  private EncoderWeights() {}

  /**
   * Reads these arrays under our names, kernels as (in, out). All names and shapes are compared
   * before the first value is read.
   *
   * @throws CorruptFileException listing what is missing or has another shape
   */
  static Weights read(TensorSource source, NameMap map, List<NameMap.Place> places) {
    List<String> names = new ArrayList<>();
    List<String> differences = new ArrayList<>();
    for (NameMap.Place place : places) {
      String name = present(source, place);
      if (name == null) {
        differences.add(place.foreign().get(0) + " is missing");
        continue;
      }
      names.add(name);
      Shape expected =
          transposed(source, map, place, name) ? swapped(place.shape()) : place.shape();
      if (!source.shape(name).equals(expected)) {
        differences.add(
            "%s: expected shape %s, found %s".formatted(name, expected, source.shape(name)));
      }
    }
    if (!differences.isEmpty()) {
      int listed = Math.min(differences.size(), LISTED_DIFFERENCES);
      throw new CorruptFileException(
          "%s does not fit its configuration, %d differences: %s%s; use the config.json that belongs to it."
              .formatted(
                  source.place(),
                  differences.size(),
                  String.join("; ", differences.subList(0, listed)),
                  listed < differences.size() ? "; ..." : ""));
    }
    Weights weights = new Weights();
    for (int i = 0; i < places.size(); i++) {
      NameMap.Place place = places.get(i);
      float[] values = source.read(names.get(i)).values();
      if (transposed(source, map, place, names.get(i))) {
        values = transpose(values, (int) place.shape().get(1), (int) place.shape().get(0));
      }
      weights.put(place.lathe(), place.shape(), values);
    }
    return weights;
  }

  /** Our arrays under foreign names, kernels as (out, in); what has no foreign name is left out. */
  static Weights write(Weights weights, List<NameMap.Place> places) {
    Weights foreign = new Weights();
    for (NameMap.Place place : places) {
      Weights.Array array = weights.get(place.lathe());
      String name = place.foreign().get(0);
      if (place.kernel()) {
        int rows = (int) array.shape().get(0);
        int columns = (int) array.shape().get(1);
        foreign.put(name, Shape.of(columns, rows), transpose(array.values(), rows, columns));
      } else {
        foreign.put(name, array.shape(), array.values());
      }
    }
    return foreign;
  }

  /**
   * Checks that an output projection of its own, which Lathe has no place for, is the token table.
   *
   * @throws CorruptFileException when it differs
   */
  static void requireTied(TensorSource source, NameMap map) {
    for (String decoder : map.decoders()) {
      if (source.names().contains(decoder)
          && !Arrays.equals(
              outIn(source, decoder).values(), source.read(map.tokenTable()).values())) {
        throw new CorruptFileException(
            "%s: '%s' differs from the token table, but Lathe ties the two; import the encoder without its head."
                .formatted(source.place(), decoder));
      }
    }
  }

  /** A matrix as (out, in), however it lies. */
  private static Weights.Array outIn(TensorSource source, String name) {
    Weights.Array array = source.read(name);
    if (!source.liesInOut(name)) {
      return array;
    }
    int rows = (int) array.shape().get(0);
    int columns = (int) array.shape().get(1);
    return new Weights.Array(Shape.of(columns, rows), transpose(array.values(), rows, columns));
  }

  private static @Nullable String present(TensorSource source, NameMap.Place place) {
    for (String name : place.foreign()) {
      if (source.names().contains(name)) {
        return name;
      }
    }
    return null;
  }

  private static boolean transposed(
      TensorSource source, NameMap map, NameMap.Place place, String name) {
    return place.kernel() && map.style() != NamingStyle.GOOGLE && !source.liesInOut(name);
  }

  private static Shape swapped(Shape shape) {
    return Shape.of(shape.get(1), shape.get(0));
  }

  /** (rows, columns) to (columns, rows). */
  static float[] transpose(float[] values, int rows, int columns) {
    float[] result = new float[values.length];
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column < columns; column++) {
        result[column * rows + row] = values[row * columns + column];
      }
    }
    return result;
  }
}
