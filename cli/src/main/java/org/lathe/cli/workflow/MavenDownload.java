package org.lathe.cli.workflow;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.lathe.cli.progress.Console;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/**
 * A jar of a Maven repository, fetched by the Maven of this machine, so that its settings hold:
 * mirrors, proxies, credentials, checksums.
 */
final class MavenDownload {
  private static final String GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.9.0:copy";
  private static final int ERROR_LINES = 3;
  private static final long NOTE_INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(10);

  private MavenDownload() {}

  /**
   * Downloads into an empty directory and waits.
   *
   * @param maven command that runs Maven
   * @param coordinates GROUP:ARTIFACT:VERSION
   * @throws FailedException when there is no Maven, or it fails; says its words
   */
  static Path download(
      Storage storage, String maven, String coordinates, Path directory, Console console) {
    List<String> command =
        List.of(
            maven,
            GOAL,
            "-Dartifact=" + coordinates,
            "-DoutputDirectory=" + directory.toAbsolutePath(),
            "-Dstyle.color=never");
    Process process = start(command, directory, coordinates);
    Deque<String> errors = new ArrayDeque<>();
    int exitCode;
    try (BufferedReader said =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      process.getOutputStream().close();
      follow(said, console, errors);
      exitCode = process.waitFor();
    } catch (IOException e) {
      throw failed(coordinates, e.toString(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failed(coordinates, "interrupted", e);
    } finally {
      process.destroy();
    }
    List<Path> jars =
        IoGuard.call(storage, "list", directory, () -> storage.list(directory)).stream()
            .filter(file -> file.toString().endsWith(".jar"))
            .toList();
    if (exitCode != 0 || jars.size() != 1) {
      throw new FailedException(
          message(
              coordinates,
              errors.isEmpty()
                  ? "'" + maven + "' ended with " + exitCode
                  : String.join(" ", errors)));
    }
    return jars.get(0);
  }

  private static Process start(List<String> command, Path directory, String coordinates) {
    try {
      return new ProcessBuilder(command)
          .directory(directory.toFile())
          .redirectErrorStream(true)
          .start();
    } catch (IOException e) {
      throw failed(coordinates, "cannot run Maven: " + e.getMessage(), e);
    }
  }

  /** Shows how far Maven is, every ten seconds; keeps its first errors. */
  private static void follow(BufferedReader said, Console console, Deque<String> errors)
      throws IOException {
    long shown = System.nanoTime();
    // a carriage return ends a line too, and Maven's progress has no other end
    for (String line = said.readLine(); line != null; line = said.readLine()) {
      String words = line.strip();
      if (words.startsWith("[ERROR]") && errors.size() < ERROR_LINES) {
        errors.add(words.substring("[ERROR]".length()).strip());
      } else if (words.startsWith("Progress") && System.nanoTime() - shown > NOTE_INTERVAL_NANOS) {
        shown = System.nanoTime();
        console.note(words);
      }
    }
  }

  private static FailedException failed(String coordinates, String reason, Exception cause) {
    return new FailedException(message(coordinates, reason), cause);
  }

  private static String message(String coordinates, String reason) {
    return "cannot download "
        + coordinates
        + ": "
        + reason
        + "; name your Maven with --maven, or fetch the jar in another way and give it with --jar"
        + " FILE";
  }
}
