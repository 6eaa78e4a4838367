package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.cli.Lathe;
import org.lathe.cli.Surroundings;
import org.lathe.training.files.LocalStorage;

/** A model that was hardly trained, and commands on it in this JVM. */
abstract class TinyRun {
  static final ObjectMapper MAPPER = new ObjectMapper();

  @TempDir static Path root;
  static Path data;
  static Path run;

  static String out = "";
  static String err = "";

  @BeforeAll
  static void prepareAndTrain() throws IOException {
    data = root.resolve("data");
    run = root.resolve("run");
    Path text = Files.writeString(root.resolve("text.txt"), documents(1));
    succeed("prepare", "--preset", "tiny", "--set", "data.sources=[" + text + "]", "--out", data);
    succeed(
        "train",
        "--preset",
        "tiny",
        "--set",
        "data.directory=" + data,
        "--set",
        "training.steps=5",
        "--run",
        run);
  }

  static String documents(long seed) {
    Random random = new Random(seed);
    String[] words = {"int", "long", "value", "count", "=", "+", "return", "size"};
    StringBuilder text = new StringBuilder();
    for (int document = 0; document < 30; document++) {
      for (int i = 0; i < 40; i++) {
        text.append(words[random.nextInt(words.length)]).append(i % 8 == 7 ? ";\n" : " ");
      }
      text.append("<|endoftext|>\n");
    }
    return text.toString();
  }

  static JsonNode evaluate(Object... options) throws IOException {
    Object[] all = new Object[options.length + 3];
    all[0] = "evaluate";
    all[1] = run;
    System.arraycopy(options, 0, all, 2, options.length);
    all[all.length - 1] = "--json";
    succeed(all);
    return MAPPER.readTree(out);
  }

  static void succeed(Object... arguments) {
    int exitCode = execute(arguments);
    assertThat(exitCode).as(err).isZero();
  }

  static int execute(Object... arguments) {
    ByteArrayOutputStream outBytes = new ByteArrayOutputStream();
    ByteArrayOutputStream errBytes = new ByteArrayOutputStream();
    String[] texts = new String[arguments.length];
    for (int i = 0; i < texts.length; i++) {
      texts[i] = arguments[i].toString();
    }
    int exitCode =
        Lathe.run(
            new Surroundings(
                new ByteArrayInputStream(new byte[0]),
                new PrintStream(outBytes, true, StandardCharsets.UTF_8),
                new PrintStream(errBytes, true, StandardCharsets.UTF_8),
                false,
                LocalStorage.INSTANCE,
                EngineWorkflows::new,
                null),
            texts);
    out = outBytes.toString(StandardCharsets.UTF_8);
    err = errBytes.toString(StandardCharsets.UTF_8);
    return exitCode;
  }
}
