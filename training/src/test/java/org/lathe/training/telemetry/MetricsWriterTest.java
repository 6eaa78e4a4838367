package org.lathe.training.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.FaultyStorage;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;

class MetricsWriterTest {
  @TempDir Path run;
  private final Storage disk = LocalStorage.INSTANCE;

  @Test
  void oneObjectALine() throws IOException {
    Path file = run.resolve("metrics.jsonl");
    try (MetricsWriter writer = MetricsWriter.resume(disk, file, -1)) {
      writer.write(1, "train", "loss", 4.25, 0.5);
      // visible at once, for whoever watches
      assertThat(Files.readAllLines(file)).hasSize(1);
      writer.write(2, "train", "loss", Double.NaN, 1);
      writer.write(3, "validation", "a \"b\"", Double.NEGATIVE_INFINITY, 1);
    }
    assertThat(Files.readString(file))
        .isEqualTo(
            """
            {"step":1,"split":"train","name":"loss","value":4.25,"seconds":0.5}
            {"step":2,"split":"train","name":"loss","value":"NaN","seconds":1.0}
            {"step":3,"split":"validation","name":"a \\"b\\"","value":"-Infinity","seconds":1.0}
            """);
  }

  @Test
  void resumeDropsLaterAndDamagedLines() throws IOException {
    Path file = run.resolve("metrics.jsonl");
    try (MetricsWriter writer = MetricsWriter.resume(disk, file, -1)) {
      for (int step = 1; step <= 5; step++) {
        writer.write(step, "train", "loss", step, step);
      }
    }
    List<String> lines = Files.readAllLines(file);
    Files.writeString(file, "\u0000\u0000\n[1]\n{\"step\":", StandardOpenOption.APPEND);
    Files.writeString(run.resolve("metrics.jsonl.tmp"), "left by a kill");
    try (MetricsWriter writer = MetricsWriter.resume(disk, file, 3)) {
      writer.write(4, "train", "loss", 40, 4);
    }
    assertThat(Files.readAllLines(file).subList(0, 3)).isEqualTo(lines.subList(0, 3));
    assertThat(Files.readAllLines(file).get(3)).contains("\"step\":4", "40.0");
    assertThat(Files.readAllLines(file)).hasSize(4);
    assertThat(run.resolve("metrics.jsonl.tmp")).doesNotExist();
  }

  @Test
  void everyFailureLeavesTheOldLinesOrTheNew() throws IOException {
    Path file = run.resolve("metrics.jsonl");
    for (int n = 1; ; n++) {
      Files.deleteIfExists(file);
      try (MetricsWriter writer = MetricsWriter.resume(disk, file, -1)) {
        writer.write(1, "train", "loss", 1, 1);
        writer.write(2, "train", "loss", 2, 2);
      }
      FaultyStorage storage = new FaultyStorage(disk).failNth(n, false, "I/O error");
      try {
        MetricsWriter.resume(storage, file, 1).close();
      } catch (FailedException e) {
        assertThat(e).hasMessageContaining("I/O error").hasMessageContaining(file.toString());
      }
      assertThat(Files.readAllLines(file)).hasSizeBetween(1, 2);
      assertThat(storage.numOpenHandles()).as("operation %s", n).isZero();
      if (!storage.fired()) {
        break;
      }
    }
  }

  @Test
  void aFullDiskIsReported() {
    FaultyStorage storage = new FaultyStorage(disk).quotaBytes(100);
    try (MetricsWriter writer = MetricsWriter.resume(storage, run.resolve("m"), -1)) {
      writer.write(1, "train", "loss", 1, 1);
      assertThatThrownBy(() -> writer.write(2, "train", "loss", 1, 1))
          .isInstanceOf(FailedException.class)
          .hasMessageContaining("No space left on device");
    }
  }
}
