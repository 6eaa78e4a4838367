package org.lathe.training.examples;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.data.CorpusReader;
import org.lathe.training.files.Storage;
import org.lathe.training.text.InputTokenizer;

/**
 * Plain text as rows of tokens for masked-language-model training: the lines of a document follow
 * each other in rows that are as full as the length allows, each between the special tokens of the
 * tokenizer. A line {@link CorpusReader#DOCUMENT_SEPARATOR} ends a document; a file does too.
 */
public final class PassageReader {
  /** Characters: of four bytes each, and each byte a token, they still fit the tokenizer. */
  private static final int MAX_PIECE = (InputTokenizer.MAX_LENGTH - 2) / 4;

  private final Storage storage;
  private final InputTokenizer tokenizer;
  private final List<int[]> rows = new ArrayList<>();
  private final int[] open;
  private final int begin;
  private final int end;
  private int used;

  private PassageReader(Storage storage, InputTokenizer tokenizer, int maxLength) {
    this.storage = storage;
    this.tokenizer = tokenizer;
    int[] empty = tokenizer.encode("", null).ids();
    if (empty.length != 2) {
      throw new CorruptFileException(
          "tokenizer.json puts "
              + empty.length
              + " special tokens around a text; expected one before and one after it, such as"
              + " [CLS] and [SEP].");
    }
    begin = empty[0];
    end = empty[1];
    open = new int[maxLength - 2];
  }

  /**
   * @param files UTF-8, unpacked first if they end in .gz
   * @param tokenizer that cuts no line
   * @param maxLength most tokens of a row, from 3
   * @param maxRows the first ones; 0 = all
   * @throws CorruptFileException when a file is missing, damaged, or there is no text
   */
  public static TokenRows read(
      Storage storage, List<Path> files, InputTokenizer tokenizer, int maxLength, int maxRows) {
    PassageReader reader = new PassageReader(storage, tokenizer, maxLength);
    for (Path file : files) {
      reader.readFile(file);
    }
    if (reader.rows.isEmpty()) {
      throw new CorruptFileException(files + " hold no text; expected lines of it.");
    }
    int count = maxRows == 0 ? reader.rows.size() : Math.min(maxRows, reader.rows.size());
    int[][] ids = reader.rows.subList(0, count).toArray(int[][]::new);
    return new TokenRows(
        ids,
        IntStream.range(0, count).mapToObj(i -> new int[ids[i].length]).toArray(int[][]::new),
        RowTargets.NONE,
        tokenizer.definition().padId(),
        maxLength);
  }

  private void readFile(Path file) {
    try (LineReader lines = LineReader.open(storage, file, TableLimits.DEFAULT)) {
      for (String line = lines.next(); line != null; line = lines.next()) {
        String text = line.strip();
        if (text.equals(CorpusReader.DOCUMENT_SEPARATOR)) {
          close();
        } else if (!text.isEmpty()) {
          add(text);
        }
      }
    }
    close();
  }

  /** In pieces that the tokenizer has room for, each up to a space where there is one. */
  private void add(String text) {
    int from = 0;
    while (text.length() - from > MAX_PIECE) {
      int space = text.lastIndexOf(' ', from + MAX_PIECE);
      int to = space > from ? space : from + MAX_PIECE;
      if (Character.isLowSurrogate(text.charAt(to))) {
        to--;
      }
      addPiece(text.substring(from, to));
      from = to;
    }
    addPiece(text.substring(from));
  }

  private void addPiece(String text) {
    int[] ids = tokenizer.encode(text, null).ids();
    int next = 1;
    while (next < ids.length - 1) {
      int size = Math.min(ids.length - 1 - next, open.length - used);
      System.arraycopy(ids, next, open, used, size);
      used += size;
      next += size;
      if (used == open.length) {
        close();
      }
    }
  }

  private void close() {
    if (used > 0) {
      int[] row = new int[used + 2];
      row[0] = begin;
      System.arraycopy(open, 0, row, 1, used);
      row[row.length - 1] = end;
      rows.add(row);
      used = 0;
    }
  }
}
