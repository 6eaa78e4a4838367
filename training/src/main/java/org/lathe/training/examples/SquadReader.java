package org.lathe.training.examples;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.common.annotations.VisibleForTesting;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/**
 * Reads questions in the format of SQuAD 1.1: data[].paragraphs[] with a context and qas[], each
 * with id, question and answers[] of text and answer_start, which counts characters (code points).
 * Names that end in .gz are unpacked first. Every answer must stand in its context.
 */
public final class SquadReader {
  /** Unpacked size of a file; SQuAD's train set has 30 MB. */
  static final int MAX_FILE_BYTES = 256 << 20;

  private static final int MAX_DEPTH = 32;
  private static final int MAX_SHOWN = 40;

  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxDocumentLength(MAX_FILE_BYTES)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private final Path file;
  private final List<Question> questions = new ArrayList<>();
  private final Set<String> ids = new HashSet<>();

  private SquadReader(Path file) {
    this.file = file;
  }

  /**
   * Reads all questions, in the order of the file.
   *
   * @throws CorruptFileException when the file is missing, too large, no UTF-8, not of this format,
   *     without questions, or has unanswerable questions (SQuAD 2.0) or an answer that its context
   *     does not have there
   * @throws org.lathe.graphs.errors.FailedException when it cannot be read
   */
  public static List<Question> read(Storage storage, Path file) {
    return read(storage, file, MAX_FILE_BYTES);
  }

  @VisibleForTesting
  static List<Question> read(Storage storage, Path file, int maxBytes) {
    SquadReader reader = new SquadReader(file);
    JsonNode data = reader.parse(readText(storage, file, maxBytes)).path("data");
    int article = 0;
    for (JsonNode node : reader.array(data, "data")) {
      String where = "data[%d].paragraphs".formatted(article);
      int paragraph = 0;
      for (JsonNode child : reader.array(node.path("paragraphs"), where)) {
        reader.addParagraph(child, article, "%s[%d]".formatted(where, paragraph++));
      }
      article++;
    }
    if (reader.questions.isEmpty()) {
      throw new CorruptFileException("%s holds no question; add one.".formatted(file));
    }
    return List.copyOf(reader.questions);
  }

  private void addParagraph(JsonNode paragraph, int article, String where) {
    String context = text(paragraph, "context", where);
    int number = 0;
    for (JsonNode node : array(paragraph.path("qas"), where + ".qas")) {
      String place = "%s.qas[%d]".formatted(where, number++);
      if (node.path("is_impossible").asBoolean(false)) {
        throw corrupt(
            place, "a question without an answer (SQuAD 2.0)", "SQuAD 1.1; leave such ones out");
      }
      String id = text(node, "id", place);
      if (!ids.add(id)) {
        throw corrupt(place, "the id \"" + id + "\" again", "another one for each question");
      }
      List<Answer> answers = new ArrayList<>();
      // a set to be answered comes without
      if (node.has("answers")) {
        for (JsonNode answer : array(node.path("answers"), place + ".answers")) {
          answers.add(answer(answer, context, "%s.answers[%d]".formatted(place, answers.size())));
        }
      }
      questions.add(new Question(id, article, text(node, "question", place), context, answers));
    }
  }

  private Answer answer(JsonNode node, String context, String where) {
    String text = text(node, "text", where);
    JsonNode start = node.path("answer_start");
    int numCharacters = context.codePointCount(0, context.length());
    if (!start.isInt() || start.intValue() < 0 || start.intValue() > numCharacters) {
      throw corrupt(where, "answer_start " + start, "a whole number from 0 to " + numCharacters);
    }
    int position = context.offsetByCodePoints(0, start.intValue());
    if (text.isEmpty() || !context.startsWith(text, position)) {
      int end = Math.min(context.length(), position + Math.min(MAX_SHOWN, text.length()));
      throw corrupt(
          where,
          "the answer \"%s\", but its context has \"%s\" there"
              .formatted(
                  text.substring(0, Math.min(MAX_SHOWN, text.length())),
                  context.substring(position, end)),
          "the same; correct answer_start");
    }
    return new Answer(text, position);
  }

  private JsonNode parse(String text) {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new CorruptFileException(
          "%s is not JSON at line %d (%s); expected the format of SQuAD 1.1."
              .formatted(
                  file,
                  e.getLocation() == null ? 1 : e.getLocation().getLineNr(),
                  e.getOriginalMessage()),
          e);
    }
  }

  private JsonNode array(JsonNode node, String where) {
    if (!node.isArray()) {
      throw corrupt(where, "no list", "one, as in SQuAD 1.1");
    }
    return node;
  }

  private String text(JsonNode node, String key, String where) {
    JsonNode value = node.path(key);
    if (!value.isTextual()) {
      throw corrupt(where, "no text at \"" + key + "\"", "one, as in SQuAD 1.1");
    }
    return value.textValue();
  }

  private CorruptFileException corrupt(String where, String found, String expected) {
    return new CorruptFileException(
        "%s has at %s %s; expected %s.".formatted(file, where, found, expected));
  }

  private static String readText(Storage storage, Path file, int maxBytes) {
    if (!storage.exists(file) || storage.isDirectory(file)) {
      throw new CorruptFileException("%s is no file; correct its path.".formatted(file));
    }
    try (InputStream raw = storage.open(file);
        InputStream in = file.toString().endsWith(".gz") ? new GZIPInputStream(raw) : raw) {
      byte[] bytes = in.readNBytes(maxBytes + 1);
      if (bytes.length > maxBytes) {
        throw new CorruptFileException(
            "%s has more than the limit of %d bytes unpacked; split it.".formatted(file, maxBytes));
      }
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return text.startsWith(LineReader.BYTE_ORDER_MARK) ? text.substring(1) : text;
    } catch (CharacterCodingException e) {
      throw new CorruptFileException("%s is not UTF-8; convert it.".formatted(file), e);
    } catch (ZipException | EOFException e) {
      throw new CorruptFileException(
          "%s is a damaged .gz file (%s); fetch it again.".formatted(file, e.getMessage()), e);
    } catch (IOException e) {
      throw IoGuard.failed(storage, "read", file, e);
    }
  }
}
