package org.lathe.cli.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Answers cut from contexts, with an encoder whose pooler nobody reads. */
class SpanCommandsTest {
  private static final String TASK =
      """
        kind: span-qa
        preset: squad
        train: [%1$s/train.json]
        valid: [%1$s/valid.json]
        test: [%1$s/valid.json]
      """;

  @TempDir Path root;

  /**
   * "was the film" asks for the word behind "film was", "was the plot" for that behind "plot was".
   */
  private static String squad(long seed, int numQuestions) {
    Random random = new Random(seed);
    List<String> words = List.of("good", "great", "bad", "awful");
    List<String> paragraphs = new ArrayList<>();
    for (int i = 0; i < numQuestions; i++) {
      String film = words.get(random.nextInt(4));
      String plot = words.get(random.nextInt(4));
      String context = "the film was " + film + " and the plot was " + plot;
      boolean aboutFilm = random.nextBoolean();
      int start = aboutFilm ? "the film was ".length() : context.length() - plot.length();
      paragraphs.add(
          """
          {"context": "%s", "qas": [{"id": "%d", "question": "was the %s",
            "answers": [{"text": "%s", "answer_start": %d}]}]}"""
              .formatted(context, i, aboutFilm ? "film" : "plot", aboutFilm ? film : plot, start));
    }
    return "{\"version\": \"1.1\", \"data\": [{\"title\": \"x\", \"paragraphs\": ["
        + String.join(",", paragraphs)
        + "]}]}";
  }

  @Test
  void aQuestionWithoutAnAnswerIsNamed() throws IOException {
    TinyEncoder.writePretrained(root.resolve("pretrained"));
    String text = squad(1, 20).replaceFirst("\"answers\": \\[[^]]*]", "\"answers\": []");
    Files.writeString(root.resolve("train.json"), text);
    Path config = TinyEncoder.writeConfig(root, TASK, "", "");
    assertThat(TinyRun.execute("train", config, "--run", root.resolve("never"))).isEqualTo(2);
    assertThat(TinyRun.err).contains("question '0'").contains("has no answer");
    assertThat(root.resolve("never")).doesNotExist();
  }

  @Test
  void anEncoderLearnsToAnswerAndIsPrunedAndServed() throws IOException {
    TinyEncoder.writePretrained(root.resolve("pretrained"));
    Files.writeString(root.resolve("train.json"), squad(1, 200));
    Files.writeString(root.resolve("valid.json"), squad(2, 40));
    Path config =
        TinyEncoder.writeConfig(
            root,
            TASK,
            """
              batchSize: 16
              steps: 250
              evaluateEvery: 50
              checkpointEvery: 50
            """,
            """
              target: {sparsity: 0.3}
              steps: 40
              finetuneSteps: 30
            """);
    Path run = root.resolve("run");
    TinyRun.succeed("train", config, "--run", run);
    TinyRun.succeed("evaluate", run, "--split", "test", "--json");
    JsonNode scores = TinyRun.MAPPER.readTree(TinyRun.out);
    // by chance about one answer in eight
    assertThat(scores.path("exact-match").asDouble()).isGreaterThan(0.4);
    Path slim = root.resolve("slim");
    TinyRun.succeed("prune", config, "--teacher", run, "--run", slim);
    Path models = root.resolve("models");
    TinyRun.succeed("export", slim, "--out", models);
    String asked = "was the film\tthe film was great and the plot was awful";
    TinyRun.succeed("predict", models, "--prompt", asked, "--json");
    JsonNode served = TinyRun.MAPPER.readTree(TinyRun.out).path("predictions").path(0);
    TinyRun.succeed("predict", slim, "--prompt", asked, "--json");
    JsonNode ofRun = TinyRun.MAPPER.readTree(TinyRun.out).path("predictions").path(0);
    assertThat(served.path("answer")).isEqualTo(ofRun.path("answer"));
    assertThat("the film was great and the plot was awful")
        .contains(served.path("answer").asText());
    assertThat(TinyRun.execute("predict", slim, "--prompt", "was the film")).isEqualTo(2);
    assertThat(TinyRun.err).contains("has no context");
  }
}
