package org.lathe.cli.workflow;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/**
 * Reads metrics.jsonl as {@link org.lathe.training.telemetry.MetricsWriter} writes it. A kill may
 * tear the last line, which is then passed over; any other damage is an error.
 */
final class MetricsReader {
  private static final int MAX_LINE_BYTES = 1 << 16;
  private static final int MAX_LINES = 5_000_000;

  /** More kinds of numbers than any run writes. */
  private static final int MAX_CURVES = 256;

  private static final ObjectMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(8).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final Path file;
  private final Map<String, Curve> curves = new LinkedHashMap<>();

  private MetricsReader(Path file) {
    this.file = file;
  }

  /**
   * All curves of a file by "split/name", in order of appearance; none when it is absent.
   *
   * @throws CorruptFileException naming the damaged line
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  static Map<String, Curve> read(Storage storage, Path file) {
    MetricsReader reader = new MetricsReader(file);
    if (storage.exists(file)) {
      IoGuard.run(storage, "read", file, () -> reader.readLines(storage));
    }
    return reader.curves;
  }

  private void readLines(Storage storage) throws IOException {
    try (InputStream in = new BufferedInputStream(storage.open(file))) {
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      int number = 1;
      for (int next = in.read(); next >= 0; next = in.read()) {
        if (next != '\n') {
          if (line.size() == MAX_LINE_BYTES) {
            throw corrupt(number, "it is longer than " + MAX_LINE_BYTES + " bytes");
          }
          line.write(next);
          continue;
        }
        if (number > MAX_LINES) {
          throw corrupt(number, "at most " + MAX_LINES + " lines are read");
        }
        @Nullable String damage = add(line.toByteArray());
        if (damage != null) {
          throw corrupt(number, damage);
        }
        line.reset();
        number++;
      }
      // without its line feed the last line may be a part only, or whole: both are in order
      add(line.toByteArray());
    }
  }

  /** Returns what is wrong with the line, or null. */
  private @Nullable String add(byte[] line) {
    JsonNode node;
    try {
      node = MAPPER.readTree(line);
    } catch (IOException e) {
      return "it is not JSON";
    }
    JsonNode step = node.path("step");
    if (!step.isIntegralNumber() || !step.canConvertToLong() || step.longValue() < 0) {
      return "field 'step' is not a whole number from 0";
    }
    if (!node.path("split").isTextual() || !node.path("name").isTextual()) {
      return "fields 'split' and 'name' are not both strings";
    }
    @Nullable Double value = value(node.path("value"));
    if (value == null) {
      return "field 'value' is not a number";
    }
    String key = node.path("split").textValue() + "/" + node.path("name").textValue();
    if (!curves.containsKey(key) && curves.size() == MAX_CURVES) {
      return "it is about more than " + MAX_CURVES + " different things";
    }
    curves.computeIfAbsent(key, unused -> new Curve()).add(step.longValue(), value);
    return null;
  }

  private static @Nullable Double value(JsonNode node) {
    if (node.isNumber()) {
      return node.doubleValue();
    }
    return switch (node.asText()) {
      case "NaN" -> Double.NaN;
      case "Infinity" -> Double.POSITIVE_INFINITY;
      case "-Infinity" -> Double.NEGATIVE_INFINITY;
      default -> null;
    };
  }

  private CorruptFileException corrupt(int line, String what) {
    return new CorruptFileException(
        file
            + ", line "
            + line
            + ": "
            + what
            + "; expected {\"step\": ..., \"split\": ..., \"name\": ..., \"value\": ...}. Remove"
            + " the line, or resume the run, which drops damaged lines.");
  }
}
