package org.lathe.training.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.LocalStorage;

class SquadReaderTest {
  private static final String GOOD =
      """
      {"version": "1.1", "data": [
       {"title": "x", "paragraphs": [{"context": "On 😀 hills and dales.", "qas": [
         {"id": "a", "question": "Where?", "answers": [
           {"text": "hills", "answer_start": 5},
           {"text": "hills and dales", "answer_start": 5}]},
         {"id": "b", "question": "Unknown?"}]}]},
       {"paragraphs": [{"context": "no", "qas": [
         {"id": "c", "question": "?", "answers": [{"text": "no", "answer_start": 0}]}]}]}]}
      """;

  @TempDir Path directory;

  @Test
  void offsetsCountCharacters() throws Exception {
    Path packed = directory.resolve("s.json.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
      out.write(GOOD.getBytes(StandardCharsets.UTF_8));
    }
    List<Question> questions = SquadReader.read(LocalStorage.INSTANCE, packed);
    assertThat(questions).isEqualTo(read(GOOD)).isEqualTo(read("\uFEFF" + GOOD));
    assertThat(questions)
        .containsExactly(
            new Question(
                "a",
                0,
                "Where?",
                "On 😀 hills and dales.",
                // the smile takes two code units
                List.of(new Answer("hills", 6), new Answer("hills and dales", 6))),
            new Question("b", 0, "Unknown?", "On 😀 hills and dales.", List.of()),
            new Question("c", 1, "?", "no", List.of(new Answer("no", 0))));
    assertThat(questions.get(0).references()).containsExactly("hills", "hills and dales");
    assertThat(questions.get(0).answers().get(0).end()).isEqualTo(11);
  }

  @Test
  void errorsSayWhere() {
    assertFails(
        GOOD.replace("\"answer_start\": 5}]", "\"answer_start\": 6}]"),
        "data[0].paragraphs[0].qas[0].answers[1]",
        "\"hills and dales\", but its context has \"ills and dales.\"");
    assertFails(GOOD.replace("\"answer_start\": 5}]", "\"answer_start\": -1}]"), "answer_start -1");
    assertFails(GOOD.replace("\"answer_start\": 5}]", "\"answer_start\": 99}]"), "answer_start 99");
    assertFails(
        GOOD.replace("\"answer_start\": 5}]", "\"answer_start\": 5.0}]"), "answer_start 5.0");
    assertFails(GOOD.replace("\"text\": \"no\"", "\"text\": \"\""), "data[1].paragraphs[0].qas[0]");
    assertFails(GOOD.replace("\"id\": \"c\"", "\"id\": \"a\""), "the id \"a\" again");
    assertFails(
        GOOD.replace("\"question\": \"?\"", "\"question\": \"?\", \"is_impossible\": true"),
        "SQuAD 2.0");
    assertFails(GOOD.replace("\"question\": \"?\"", "\"question\": 3"), "no text at \"question\"");
    assertFails(GOOD.replace("\"qas\"", "\"gas\""), "data[0].paragraphs[0].qas");
    assertFails("{\"data\": []}", "no question");
    assertFails("[]", "has at data no list");
    assertFails(GOOD.substring(0, 100), "is not JSON at line");
    assertFails(GOOD + "{}", "is not JSON");
    assertFails("", "has at data no list");
    assertFails("[".repeat(10_000), "is not JSON");
  }

  @Test
  void limitsAndEncoding() throws Exception {
    Path file = Files.writeString(directory.resolve("s.json"), GOOD);
    assertThatThrownBy(() -> SquadReader.read(LocalStorage.INSTANCE, file, 100))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("100 bytes");
    Files.write(file, "{\"é\": 1}".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> SquadReader.read(LocalStorage.INSTANCE, file))
        .hasMessageContaining("not UTF-8");
    assertThatThrownBy(() -> SquadReader.read(LocalStorage.INSTANCE, directory.resolve("none")))
        .isInstanceOf(CorruptFileException.class);
  }

  private void assertFails(String content, String... parts) {
    assertThatThrownBy(() -> read(content))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("s.json")
        .hasMessageContainingAll(parts);
  }

  private List<Question> read(String content) throws IOException {
    return SquadReader.read(
        LocalStorage.INSTANCE, Files.writeString(directory.resolve("s.json"), content));
  }
}
