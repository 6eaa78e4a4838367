package org.lathe.cli.progress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ProgressLineTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final AtomicLong nanos = new AtomicLong();

  private ProgressLine line(boolean terminal) {
    PrintStream err = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    return new Console(err, terminal, nanos::get).progress("train", 800);
  }

  private String shown() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void logsEveryTenSecondsAndTheEnd() {
    try (ProgressLine line = line(false)) {
      for (int step = 0; step <= 800; step++) {
        line.update(step, 3.2144, 6410);
        nanos.addAndGet(50_000_000L); // 40 s in all
      }
    }
    assertThat(shown().lines()).hasSize(4);
    assertThat(shown().lines().findFirst())
        .hasValue("train  25%  200/800  loss 3.214  6,410 tokens/s  0:30 left");
    assertThat(shown()).contains("100%  800/800").contains("0:40 in all").doesNotContain("[");
  }

  @Test
  void overwritesOneLineOnATerminal() {
    try (ProgressLine line = line(true)) {
      line.update(0);
      nanos.addAndGet(1_000_000_000L);
      line.update(400);
      nanos.addAndGet(1_000_000L);
      line.update(401); // too soon to redraw
    }
    assertThat(shown().lines().filter(text -> !text.isBlank()).count()).isLessThanOrEqualTo(2);
    assertThat(shown())
        .contains("\rtrain [==========>         ]  50%  400/800  0:01 left")
        .doesNotContain("loss")
        .contains("401/800")
        .endsWith(System.lineSeparator());
  }

  @Test
  void aResumedRunMeasuresFromWhereItResumed() {
    try (ProgressLine line = line(false)) {
      line.update(400);
      nanos.addAndGet(10_000_000_000L);
      line.update(500);
      assertThat(shown()).contains("0:30 left");
    }
  }
}
