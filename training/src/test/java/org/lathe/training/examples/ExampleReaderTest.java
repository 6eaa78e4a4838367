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
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.LocalStorage;

class ExampleReaderTest {
  private static final TaskColumns ONE_TEXT = new TaskColumns(true, "text", null, "label", null);
  private static final LabelSet YES_NO = LabelSet.of("no", "yes");

  @TempDir Path directory;

  private final ExampleReader reader = new ExampleReader(LocalStorage.INSTANCE);

  @Test
  void tabsOnlySeparateInTsv() throws Exception {
    Path file =
        write(
            "a.tsv",
            "\uFEFFid\ttext\tlabel\tmore\r\n"
                + "q7\t\"a, b\" said c\tyes\t\r\n"
                + "\n"
                + "q8\t \"odd\tno\tx\n"
                + "q9\tDreißig \uD83D\uDE00\tno\t");
    Examples examples =
        reader.read(
            file,
            new TaskColumns(true, "text", null, "label", "id"),
            TaskKind.CLASSIFICATION,
            YES_NO);
    assertThat(examples.examples())
        .containsExactly(
            new Example("q7", "\"a, b\" said c", null, 1),
            new Example("q8", " \"odd", null, 0),
            new Example("q9", "Dreißig \uD83D\uDE00", null, 0));
    assertThat(examples.labelValues()).containsExactly(1, 0, 0);
  }

  @Test
  void quotedFieldsOfCsv() throws Exception {
    Path file =
        write(
            "a.csv",
            "text,second,label\r\n"
                + "\"a \"\"b\"\", c\",d \"e\",0.5\r\n"
                + "\"two\r\nlines\n\n\",\"\",-3\n"
                + ",\"x,\",1e1\n");
    TaskColumns columns = new TaskColumns(true, "text", "second", "label", null);
    assertThat(reader.read(file, columns, TaskKind.REGRESSION, null).examples())
        .containsExactly(
            new Example("0", "a \"b\", c", "d \"e\"", 0.5),
            new Example("1", "two\r\nlines\n\n", "", -3),
            new Example("2", "", "x,", 10));
    assertThat(TableFormat.byName("/x/A.CSV.GZ")).isEqualTo(TableFormat.CSV);
    assertThat(TableFormat.byName("csv.tsv.gz")).isEqualTo(TableFormat.TSV);
  }

  @Test
  void columnsByNumberAndPackedFiles() throws Exception {
    Path file = directory.resolve("a.tsv.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write("b\tfirst\na\tsecond\n".getBytes(StandardCharsets.UTF_8));
    }
    TaskColumns columns = new TaskColumns(false, "2", null, "1", null);
    LabelSet labels = reader.readLabels(List.of(file), columns);
    assertThat(labels.names()).containsExactly("a", "b");
    assertThat(reader.read(file, columns, TaskKind.CLASSIFICATION, labels).examples())
        .containsExactly(new Example("0", "first", null, 1), new Example("1", "second", null, 0));
    byte[] packed = Files.readAllBytes(file);
    Path cut = directory.resolve("cut.tsv.gz");
    Files.write(cut, java.util.Arrays.copyOf(packed, packed.length - 9));
    assertThatThrownBy(() -> reader.readLabels(List.of(cut), columns))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("damaged .gz");
    Path none = write("none.tsv.gz", "text");
    assertThatThrownBy(() -> reader.readLabels(List.of(none), columns))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("damaged .gz");
  }

  @Test
  void labelsAreOrderedByValue() throws Exception {
    Path file = write("a.tsv", "label\ttext\n10\tx\n9\tx\n-1\tx\n9\tx\n");
    assertThat(reader.readLabels(List.of(file), ONE_TEXT).names()).containsExactly("-1", "9", "10");
    assertThat(LabelSet.sorted(List.of("10", "9", "x", "9")).names())
        .containsExactly("10", "9", "x");
    Path one = write("one.tsv", "label\ttext\nx\ty\n");
    assertThatThrownBy(() -> reader.readLabels(List.of(one), ONE_TEXT))
        .hasMessageContaining("at least two");
    StringBuilder many = new StringBuilder("label\ttext\n");
    for (int i = 0; i <= ExampleReader.MAX_CLASSES; i++) {
      many.append(i).append("\tx\n");
    }
    Path file2 = write("many.tsv", many.toString());
    assertThatThrownBy(() -> reader.readLabels(List.of(file2), ONE_TEXT))
        .hasMessageContaining("10000 different labels up to line 10002");
  }

  @Test
  void labelsOfAllFilesCountAndNoneIsBlank() throws Exception {
    Path good = write("good.csv", "text,label\nx, good\ny,good \n");
    Path bad = write("bad.csv", "text,label\nz,bad\n");
    LabelSet labels = reader.readLabels(List.of(good, bad), ONE_TEXT);
    assertThat(labels.names()).containsExactly("bad", "good");
    assertThat(reader.read(good, ONE_TEXT, TaskKind.CLASSIFICATION, labels).labelValues())
        .containsExactly(1, 1);
    Path gap = write("gap.csv", "text,label\nx,good\ny, \nz,bad\n");
    assertThatThrownBy(() -> reader.readLabels(List.of(good, gap), ONE_TEXT))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("line 3 of " + gap + " has no label in column 2");
  }

  @Test
  void errorsNameFileLineAndWhatIsExpected() throws Exception {
    assertFails("text\tlabel\nx\tyes\nx\n", "line 3 of ", "has 1 columns; expected 2");
    assertFails("text\tlabel\nx\tyes\tz\n", "line 2 of ", "has 3 columns; expected 2");
    assertFails(
        "text\tlabel\nx\tmaybe\n",
        "line 2 of ",
        "\"maybe\" in column 2; expected one of [no, yes]");
    assertFails("text\tlabel\nx\t\n", "label \"\"");
    assertFails("text\tlabel\n", "no rows");
    assertFails("", "is empty");
    assertFails("\n\n\n", "is empty");
    Path file = write("a.tsv", "text\tmark\nx\tyes\n");
    assertThatThrownBy(() -> reader.read(file, ONE_TEXT, TaskKind.CLASSIFICATION, YES_NO))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("\"label\" nowhere; expected it once among [text, mark]");
    Path twice = write("twice.tsv", "text\tlabel\tlabel\nx\tyes\tno\n");
    assertThatThrownBy(() -> reader.read(twice, ONE_TEXT, TaskKind.CLASSIFICATION, YES_NO))
        .hasMessageContaining("twice");
    TaskColumns third = new TaskColumns(false, "1", null, "3", null);
    assertThatThrownBy(() -> reader.read(file, third, TaskKind.CLASSIFICATION, YES_NO))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("has 2 columns, but the task reads column 3");
    TaskColumns number = new TaskColumns(true, "text", null, "mark", null);
    assertThatThrownBy(() -> reader.read(file, number, TaskKind.REGRESSION, null))
        .hasMessageContaining("line 2")
        .hasMessageContaining("\"yes\" in column 2; expected a number");
    Path infinite = write("i.tsv", "text\tmark\nx\tNaN\n");
    assertThatThrownBy(() -> reader.read(infinite, number, TaskKind.REGRESSION, null))
        .hasMessageContaining("\"NaN\"");
    assertThatThrownBy(() -> reader.read(directory, number, TaskKind.REGRESSION, null))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("is no file");
  }

  @Test
  void bytesThatAreNotUtf8() throws Exception {
    Path file = directory.resolve("latin.tsv");
    Files.write(
        file, "text\tlabel\nok\tno\nDrei\u00DF\tno\n".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> reader.read(file, ONE_TEXT, TaskKind.CLASSIFICATION, YES_NO))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("line 3 of")
        .hasMessageContaining("not UTF-8 at its byte 5 (0xdf)");
    // a character cut off by the line's end
    Files.write(file, new byte[] {'a', (byte) 0xE2, (byte) 0x82, '\n'});
    assertThatThrownBy(() -> reader.read(file, ONE_TEXT, TaskKind.CLASSIFICATION, YES_NO))
        .hasMessageContaining("line 1 of");
  }

  @Test
  void brokenQuotes() throws Exception {
    assertCsvFails("text,label\nx,yes\n\"open,yes\nmore\n", "line 3 of ", "never closed");
    assertCsvFails("text,label\n\"x\"y,yes\n", "line 2 of ", "closing quotation mark");
  }

  @Test
  void limits() throws Exception {
    ExampleReader strict = new ExampleReader(LocalStorage.INSTANCE, new TableLimits(20, 3, 100));
    Path longLine = write("long.tsv", "text\tlabel\nx\tyes\n" + "y".repeat(21) + "\tyes\n");
    assertThatThrownBy(() -> strict.read(longLine, ONE_TEXT, TaskKind.CLASSIFICATION, YES_NO))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("line 3 of")
        .hasMessageContaining("20 bytes");
    Path wide = write("wide.tsv", "text\tlabel\ta\tb\n");
    assertThatThrownBy(() -> strict.read(wide, ONE_TEXT, TaskKind.CLASSIFICATION, YES_NO))
        .hasMessageContaining("more than 3 columns");
    Path large = write("large.tsv", "text\tlabel\n" + "abcdefgh\tyes\n".repeat(10));
    assertThatThrownBy(() -> strict.read(large, ONE_TEXT, TaskKind.CLASSIFICATION, YES_NO))
        .hasMessageContaining("100 bytes");
    Path row = write("row.csv", "text,label\n\"" + "abc\n".repeat(8) + "\",yes\n");
    assertThatThrownBy(() -> strict.read(row, ONE_TEXT, TaskKind.CLASSIFICATION, YES_NO))
        .hasMessageContaining("line 2 of")
        .hasMessageContaining("20 characters");
    // 20 bytes fit
    Path fits = write("fits.tsv", "text\tlabel\n" + "y".repeat(16) + "\tyes\n");
    assertThat(strict.read(fits, ONE_TEXT, TaskKind.CLASSIFICATION, YES_NO).size()).isEqualTo(1);
  }

  @Test
  void linesOfEveryLengthAroundTheBuffer() throws Exception {
    for (int length : List.of(65_530, 65_535, 65_536, 65_537, 200_000)) {
      String text = "é".repeat(length / 2);
      Path file = directory.resolve("n" + length + ".tsv");
      Files.writeString(file, "text\tlabel\n" + text + "\tyes\nlast\tno");
      assertThat(reader.read(file, ONE_TEXT, TaskKind.CLASSIFICATION, YES_NO).examples())
          .extracting(Example::text)
          .containsExactly(text, "last");
    }
  }

  @Test
  void columnsThatCannotBeMeant() {
    assertThatThrownBy(() -> new TaskColumns(false, "text", null, "2", null))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("a number from 1");
    assertThatThrownBy(() -> new TaskColumns(false, "0", null, null, null))
        .isInstanceOf(ConfigException.class);
    assertThatThrownBy(() -> new TaskColumns(true, "a", "a", null, null))
        .isInstanceOf(ConfigException.class);
    assertThatThrownBy(() -> LabelSet.of("a", "a")).isInstanceOf(IllegalArgumentException.class);
  }

  private void assertFails(String content, String... parts) throws IOException {
    Path file = write("bad.tsv", content);
    assertThatThrownBy(() -> reader.read(file, ONE_TEXT, TaskKind.CLASSIFICATION, YES_NO))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("bad.tsv")
        .hasMessageContainingAll(parts);
  }

  private void assertCsvFails(String content, String... parts) throws IOException {
    Path file = write("bad.csv", content);
    assertThatThrownBy(() -> reader.read(file, ONE_TEXT, TaskKind.CLASSIFICATION, YES_NO))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("bad.csv")
        .hasMessageContainingAll(parts);
  }

  private Path write(String name, String content) throws IOException {
    return Files.writeString(directory.resolve(name), content);
  }
}
