package org.lathe.cli.workflow;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.lathe.cli.Lathe;
import org.lathe.graphs.errors.FailedException;

/** Runs a Lathe command in a JVM of its own, as a user would who only has the artefact. */
final class FreshProcess {
  private FreshProcess() {}

  /** The command's JSON answer. */
  static JsonNode run(List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Lathe.class.getName());
    command.addAll(arguments);
    command.add("--json");
    try {
      Process process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      process.getOutputStream().close();
      String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int exitCode = process.waitFor();
      if (exitCode != 0) {
        throw new FailedException(
            "lathe "
                + String.join(" ", arguments)
                + " in a fresh JVM ended with exit code "
                + exitCode
                + ": "
                + answer.strip());
      }
      return new ObjectMapper().readTree(answer);
    } catch (IOException e) {
      throw new FailedException("cannot run a fresh JVM: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FailedException("interrupted while waiting for a fresh JVM", e);
    }
  }
}
