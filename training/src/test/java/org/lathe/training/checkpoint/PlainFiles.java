package org.lathe.training.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.lathe.graphs.weights.Weights;
import org.tensorflow.ndarray.Shape;

/** Writes past the storage port as native code does, but fast: vectors as text. */
final class PlainFiles implements VariableFiles {
  @Override
  public void write(Path prefix, Weights weights) {
    List<String> lines = new ArrayList<>();
    for (String name : weights.names()) {
      StringBuilder line = new StringBuilder(name);
      for (float value : weights.get(name).values()) {
        line.append(' ').append(value);
      }
      lines.add(line.toString());
    }
    try {
      Files.writeString(prefix.resolveSibling(prefix.getFileName() + ".index"), "plain");
      Files.write(data(prefix), lines);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Weights read(Path prefix, List<String> names) {
    Weights weights = new Weights();
    try {
      for (String line : Files.readAllLines(data(prefix))) {
        String[] words = line.split(" ");
        if (names.contains(words[0])) {
          float[] values = new float[words.length - 1];
          for (int i = 0; i < values.length; i++) {
            values[i] = Float.parseFloat(words[i + 1]);
          }
          weights.put(words[0], Shape.of(values.length), values);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return weights;
  }

  private static Path data(Path prefix) {
    return prefix.resolveSibling(prefix.getFileName() + ".data-00000-of-00001");
  }
}
