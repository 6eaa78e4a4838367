package org.lathe.training.datastore;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.training.files.LocalStorage;

/**
 * SIGKILL at any moment: the same build continues, and the store is the one that nobody killed.
 * {@code -Dlathe.kills=50} kills more often, {@code -Dseed=N} at other moments.
 */
@Tag("process")
class KilledBuildTest {
  private static final int NUM_KILLS = Integer.getInteger("lathe.kills", 10);
  private static final long SEED = Long.getLong("seed", 1);
  private static final int MAX_DELAY_MS = 400;
  private static final int TIMEOUT_S = 60;

  @TempDir Path root;

  @Test
  void continuesAfterEveryKillWithTheSameBytes() throws Exception {
    Path straight = root.resolve("straight");
    KilledBuild.build(straight, 0);
    Map<String, byte[]> expected = Stores.files(straight);
    assertThat(expected.size()).isGreaterThan(30);
    Random random = new Random(SEED);
    int kills = 0;
    int stores = 0;
    int inside = 0;
    while (kills < NUM_KILLS) {
      Path directory = root.resolve("killed-" + stores);
      int filesBefore = Stores.count(directory);
      Process process = start(directory);
      // a child is slow to start: most kills wait until it does something
      boolean waits = random.nextInt(5) > 0;
      while (waits && process.isAlive() && Stores.count(directory) <= filesBefore) {
        Thread.sleep(5);
      }
      if (process.waitFor(random.nextInt(MAX_DELAY_MS), TimeUnit.MILLISECONDS)) {
        assertThat(process.exitValue()).as(log(directory)).isZero();
        assertSame(directory, expected);
        stores++;
      } else {
        process.destroyForcibly().waitFor();
        kills++;
        inside += Files.exists(directory.resolve(TableStore.JOB_FILE)) ? 1 : 0;
      }
    }
    Path last = root.resolve("killed-" + stores);
    Process process = start(last);
    assertThat(process.waitFor(TIMEOUT_S, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(log(last)).isZero();
    assertSame(last, expected);
    System.out.printf(
        "%d kills (seed %d), %d while building, %d stores%n", kills, SEED, inside, stores + 1);
  }

  private static void assertSame(Path directory, Map<String, byte[]> expected) {
    Map<String, byte[]> found = Stores.files(directory);
    assertThat(found.keySet()).isEqualTo(expected.keySet());
    found.forEach((name, bytes) -> assertThat(bytes).as(name).isEqualTo(expected.get(name)));
    DatastoreCheck.verify(LocalStorage.INSTANCE, directory, (what, done, total) -> {});
  }

  private static String log(Path directory) throws IOException {
    return Files.readString(logFile(directory));
  }

  private static Path logFile(Path directory) {
    return directory.resolveSibling(directory.getFileName() + ".log");
  }

  private static Process start(Path directory) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:+UseSerialGC",
            "-Xshare:auto",
            "-XX:TieredStopAtLevel=1",
            "-Xmx128m",
            "-cp",
            System.getProperty("java.class.path"),
            KilledBuild.class.getName(),
            directory.toString())
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(logFile(directory).toFile()))
        .start();
  }
}
