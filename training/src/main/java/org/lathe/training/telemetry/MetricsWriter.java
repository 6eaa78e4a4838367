package org.lathe.training.telemetry;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appends numbers to {@code metrics.jsonl}, one JSON object a line: {@code
 * {"step":100,"split":"train","name":"loss","value":4.25,"seconds":12.5}}. NaN and infinities are
 * the strings "NaN", "Infinity", "-Infinity".
 */
public final class MetricsWriter implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MetricsWriter.class);

  /** Longer lines were not written here and count as damaged. */
  static final int MAX_LINE_BYTES = 1 << 16;

  private static final ObjectMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(8).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final Storage storage;
  private final Path file;
  private final OutputStream out;

  private MetricsWriter(Storage storage, Path file) {
    this.storage = storage;
    this.file = file;
    this.out = IoGuard.call(storage, "append to", file, () -> storage.append(file));
  }

  /**
   * Continues a file after the checkpoint of {@code lastStep}, or starts it: lines of later steps,
   * which are about to be computed again, and damaged lines are dropped first.
   *
   * @param lastStep -1 for a run that starts from nothing
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  public static MetricsWriter resume(Storage storage, Path file, long lastStep) {
    if (storage.exists(file)) {
      IoGuard.run(storage, "rewrite", file, () -> dropAfter(storage, file, lastStep));
    }
    return new MetricsWriter(storage, file);
  }

  /**
   * Appends a line.
   *
   * @param split "train", "validation", ...
   * @param seconds since the run began
   * @throws org.lathe.graphs.errors.FailedException when the disk is full or fails
   */
  public void write(long step, String split, String name, double value, double seconds) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", step);
    line.put("split", split);
    line.put("name", name);
    line.put("value", value);
    line.put("seconds", seconds);
    byte[] bytes;
    try {
      bytes = (MAPPER.writeValueAsString(line) + "\n").getBytes(StandardCharsets.UTF_8);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("not representable as JSON: " + line, e);
    }
    IoGuard.run(
        storage,
        "append to",
        file,
        () -> {
          // one write a line: a kill tears the last line at most
          out.write(bytes);
          out.flush();
        });
  }

  @Override
  public void close() {
    IoGuard.run(storage, "close", file, out::close);
  }

  private static void dropAfter(Storage storage, Path file, long lastStep) throws IOException {
    Path rewritten = file.resolveSibling(file.getFileName() + ".tmp");
    storage.delete(rewritten);
    long numDropped = 0;
    long numDamaged = 0;
    try (InputStream in = new BufferedInputStream(storage.open(file));
        OutputStream kept = storage.create(rewritten)) {
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      while (readLine(in, line)) {
        long step = step(line.toByteArray());
        if (step < 0) {
          numDamaged++;
        } else if (step > lastStep) {
          numDropped++;
        } else {
          line.write('\n');
          line.writeTo(kept);
        }
      }
    }
    if (numDamaged > 0) {
      LOG.warn("{}: dropped {} damaged lines", file, numDamaged);
    }
    LOG.debug("{}: dropped {} lines after step {}", file, numDropped, lastStep);
    storage.force(rewritten);
    storage.move(rewritten, file);
    storage.force(Objects.requireNonNull(file.toAbsolutePath().getParent()));
  }

  /** False at the end. Bytes beyond the limit are passed over; one more makes the line too long. */
  private static boolean readLine(InputStream in, ByteArrayOutputStream line) throws IOException {
    line.reset();
    int next = in.read();
    if (next < 0) {
      return false;
    }
    for (; next >= 0 && next != '\n'; next = in.read()) {
      if (line.size() <= MAX_LINE_BYTES) {
        line.write(next);
      }
    }
    return true;
  }

  /** The step of a whole line, -1 for any other. */
  private static long step(byte[] line) {
    if (line.length > MAX_LINE_BYTES) {
      return -1;
    }
    try {
      JsonNode node = MAPPER.readTree(line);
      return node != null
              && node.path("step").isIntegralNumber()
              && node.path("value").isValueNode()
          ? node.path("step").asLong()
          : -1;
    } catch (IOException e) {
      // torn by a kill, counted by the caller
      return -1;
    }
  }
}
