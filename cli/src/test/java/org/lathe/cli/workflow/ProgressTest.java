package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.lathe.cli.progress.Console;

class ProgressTest {
  private static final long SECOND = 1_000_000_000L;

  /** What a first pass took is not held against the second. */
  @Test
  void theSameWorkAgainIsTimedAnew() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    AtomicLong nanos = new AtomicLong();
    PrintStream err = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    try (Progress progress = new Progress(new Console(err, false, nanos::get))) {
      for (int pass = 0; pass < 2; pass++) {
        for (int done = 0; done <= 100; done += 10) {
          progress.progress("searching", done, 100);
          nanos.addAndGet((pass == 0 ? 300 : 2) * SECOND);
        }
      }
    }
    List<String> lines = bytes.toString(StandardCharsets.UTF_8).lines().toList();
    assertThat(lines).contains("searching  50%  50/100  0:10 left");
    assertThat(lines.get(lines.size() - 1)).contains("100%").contains("0:20 in all");
  }
}
