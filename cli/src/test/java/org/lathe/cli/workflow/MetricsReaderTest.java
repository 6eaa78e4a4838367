package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.cli.report.Series;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.telemetry.MetricsWriter;

class MetricsReaderTest {
  @TempDir Path directory;

  @Test
  void whatWasWrittenIsRead() {
    Map<String, Curve> curves = read(write(3));
    assertThat(curves.keySet()).containsExactly("train/loss", "valid/loss");
    Series loss = curves.get("train/loss").series("loss");
    assertThat(loss.xs()).containsExactly(0, 1, 2);
    assertThat(loss.ys()).containsExactly(0, 0.5, Double.NaN);
    assertThat(curves.get("valid/loss").last()).isInfinite();
    assertThat(curves.get("valid/loss").lastStep()).isEqualTo(2);
    assertThat(read(directory.resolve("absent"))).isEmpty();
  }

  /** A kill may come after any byte. */
  @Test
  void aTornLastLineIsPassedOver() throws IOException {
    byte[] whole = Files.readAllBytes(write(2));
    Path torn = directory.resolve("torn");
    int numLines = 0;
    for (int size = 0; size <= whole.length; size++) {
      Files.write(torn, Arrays.copyOf(whole, size));
      int numPoints = 0;
      for (Curve curve : read(torn).values()) {
        numPoints += curve.series("any").xs().length;
      }
      assertThat(numPoints).isGreaterThanOrEqualTo(numLines);
      numLines += size < whole.length && whole[size] == '\n' ? 1 : 0;
    }
    assertThat(numLines).isEqualTo(4);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"step\":3,\"spl",
        "",
        "[]",
        "null",
        "{\"step\":-1,\"split\":\"a\",\"name\":\"b\",\"value\":1}",
        "{\"step\":1.5,\"split\":\"a\",\"name\":\"b\",\"value\":1}",
        "{\"step\":99999999999999999999,\"split\":\"a\",\"name\":\"b\",\"value\":1}",
        "{\"step\":1,\"split\":\"a\",\"value\":1}",
        "{\"step\":1,\"split\":\"a\",\"name\":\"b\",\"value\":\"much\"}",
        "{\"step\":1,\"split\":\"a\",\"name\":\"b\",\"value\":{}}",
        "{\"step\":1,\"split\":\"a\",\"name\":\"b\",\"value\":1} {}"
      })
  void aDamagedLineIsNamed(String line) throws IOException {
    Path file = write(1);
    Files.writeString(file, Files.readString(file) + line + "\n" + Files.readString(file));
    assertThatThrownBy(() -> read(file))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("metrics-1.jsonl, line 3: ");
  }

  @Test
  void hostileSizesAreRefused() throws IOException {
    Path longLine = directory.resolve("long");
    byte[] bytes = new byte[100_000];
    Arrays.fill(bytes, (byte) ' ');
    Files.write(longLine, bytes);
    assertThatThrownBy(() -> read(longLine))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("line 1: it is longer than 65536 bytes");
    StringBuilder many = new StringBuilder();
    for (int i = 0; i < 300; i++) {
      many.append("{\"step\":1,\"split\":\"a\",\"name\":\"").append(i).append("\",\"value\":1}\n");
    }
    Path manyNames = directory.resolve("many");
    Files.write(manyNames, List.of(many.toString().strip()), StandardCharsets.UTF_8);
    assertThatThrownBy(() -> read(manyNames))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("line 257: ");
  }

  @Test
  void longCurvesAreThinnedToTheirEnds() {
    Curve curve = new Curve();
    for (int i = 0; i < 10_007; i++) {
      curve.add(i, -i);
    }
    Series series = curve.series("thin");
    assertThat(series.xs()).hasSize(1_000).isSorted().doesNotHaveDuplicates();
    assertThat(series.xs()[0]).isZero();
    assertThat(series.xs()[999]).isEqualTo(10_006);
    assertThat(series.ys()[999]).isEqualTo(-10_006);
  }

  private Path write(int numSteps) {
    Path file = directory.resolve("metrics-" + numSteps + ".jsonl");
    try (MetricsWriter writer = MetricsWriter.resume(LocalStorage.INSTANCE, file, -1)) {
      for (int step = 0; step < numSteps; step++) {
        writer.write(step, "train", "loss", step == 2 ? Double.NaN : step * 0.5, 1.5);
        writer.write(step, "valid", "loss", Double.POSITIVE_INFINITY, 1.5);
      }
    }
    return file;
  }

  private static Map<String, Curve> read(Path file) {
    return MetricsReader.read(LocalStorage.INSTANCE, file);
  }
}
