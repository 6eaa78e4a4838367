package org.lathe.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.lathe.cli.workflow.Outcome;
import org.lathe.cli.workflow.Workflows;
import org.lathe.training.files.LocalStorage;

/** Runs commands in this JVM and keeps what they said and asked for. */
final class TestSurroundings {
  private final ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
  private final ByteArrayOutputStream errBytes = new ByteArrayOutputStream();

  /** Requests that reached the workflows. */
  final List<Object> requests = new ArrayList<>();

  Function<Object, Outcome> answer =
      request -> Outcome.done(Map.of("request", request.getClass().getSimpleName()), List.of("ok"));
  String input = "";

  int run(String... args) {
    return Lathe.run(surroundings(), args);
  }

  Surroundings surroundings() {
    Workflows workflows =
        (Workflows)
            Proxy.newProxyInstance(
                Workflows.class.getClassLoader(),
                new Class<?>[] {Workflows.class},
                (proxy, method, arguments) -> {
                  requests.add(arguments[0]);
                  return answer.apply(arguments[0]);
                });
    return new Surroundings(
        new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
        new PrintStream(outBytes, true, StandardCharsets.UTF_8),
        new PrintStream(errBytes, true, StandardCharsets.UTF_8),
        false,
        LocalStorage.INSTANCE,
        () -> workflows,
        Path.of("..").toAbsolutePath().normalize());
  }

  String out() {
    return outBytes.toString(StandardCharsets.UTF_8);
  }

  String err() {
    return errBytes.toString(StandardCharsets.UTF_8);
  }
}
