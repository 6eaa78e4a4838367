package org.lathe.cli.process;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.lathe.cli.Lathe;
import org.lathe.cli.Surroundings;
import org.lathe.cli.workflow.EngineWorkflows;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;

/**
 * What a command said in this JVM.
 *
 * @param err lines on standard error
 */
record InProcess(int exitCode, String out, List<String> err) {

  static InProcess run(String... args) {
    return run(LocalStorage.INSTANCE, args);
  }

  /** With the engines of this build on this disk. */
  static InProcess run(Storage storage, String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int exitCode =
        Lathe.run(
            new Surroundings(
                new ByteArrayInputStream(new byte[0]),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false,
                storage,
                EngineWorkflows::new,
                null),
            args);
    return new InProcess(
        exitCode,
        out.toString(StandardCharsets.UTF_8),
        err.toString(StandardCharsets.UTF_8).lines().toList());
  }
}
