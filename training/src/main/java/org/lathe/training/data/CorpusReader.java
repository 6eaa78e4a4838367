package org.lathe.training.data;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipInputStream;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.Storage;
import org.lathe.training.text.WordSplitter;

/**
 * Reads a corpus into memory, see {@link CorpusFormat} for what text files look like. A source is
 *
 * <ul>
 *   <li>a text file: its documents are separated by lines {@code <|endoftext|>}; without such a
 *       line it is one document. Ending in .gz it is unpacked first;
 *   <li>a .jar or .zip: each *.java entry is a document, sorted by name, without package-info and
 *       module-info;
 *   <li>a directory: each file in it, at any depth and sorted by name, is read as an archive or as
 *       one document; names that start with a dot are skipped.
 * </ul>
 *
 * Text must be UTF-8. Blank documents are skipped.
 */
public final class CorpusReader {
  /** The line between two documents of a text file. */
  public static final String DOCUMENT_SEPARATOR = "<|endoftext|>";

  /** " = Title = " with one equals sign on each side; sections have more. */
  private static final Pattern ARTICLE_HEADING = Pattern.compile("(?m)^ = [^=].*[^=] = $");

  private final Storage storage;
  private final CorpusLimits limits;
  private final CorpusFormat format;
  private final List<Document> documents = new ArrayList<>();
  private long corpusBytes;

  private CorpusReader(Storage storage, CorpusLimits limits, CorpusFormat format) {
    this.storage = storage;
    this.limits = limits;
    this.format = format;
  }

  /**
   * Reads all documents, in the order of the sources.
   *
   * @throws CorruptFileException when a source is missing, holds bytes that are not UTF-8, is
   *     larger than the limits, or when there is no document at all
   * @throws UncheckedIOException when a source cannot be read
   */
  public static List<Document> read(Storage storage, List<Path> sources, CorpusFormat format) {
    return read(storage, sources, CorpusLimits.DEFAULT, format);
  }

  static List<Document> read(
      Storage storage, List<Path> sources, CorpusLimits limits, CorpusFormat format) {
    CorpusReader reader = new CorpusReader(storage, limits, format);
    Set<String> names = new HashSet<>();
    for (Path source : sources) {
      if (!storage.exists(source)) {
        throw new CorruptFileException(
            "The data source %s does not exist; correct its path in data.sources."
                .formatted(source));
      }
      String name = fileName(source);
      // two sources of one name would give equal document ids
      for (int i = 2; !names.add(name); i++) {
        name = fileName(source) + "@" + i;
      }
      try {
        reader.readSource(source, name);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read " + source, e);
      }
    }
    if (reader.documents.isEmpty()) {
      throw new CorruptFileException(
          "The data sources %s hold no document with text; add one.".formatted(sources));
    }
    return List.copyOf(reader.documents);
  }

  private void readSource(Path source, String name) throws IOException {
    if (storage.isDirectory(source)) {
      readDirectory(source, name, 1);
    } else if (isArchive(source)) {
      readArchive(source, name);
    } else {
      readText(source, name);
    }
  }

  private void readText(Path file, String name) throws IOException {
    String text = readFile(file);
    if (format == CorpusFormat.WIKITEXT) {
      addArticles(text, name);
      return;
    }
    int number = 0;
    int start = 0;
    int from = 0;
    boolean separated = false;
    while (from >= 0 && from <= text.length()) {
      int found = text.indexOf(DOCUMENT_SEPARATOR, from);
      if (found < 0) {
        break;
      }
      int end = found + DOCUMENT_SEPARATOR.length();
      from = end;
      boolean startsLine = found == 0 || text.charAt(found - 1) == '\n';
      int lineEnd = text.startsWith("\r\n", end) ? end + 2 : end + 1;
      if (startsLine && (end == text.length() || text.charAt(lineEnd - 1) == '\n')) {
        add(name + "#" + number++, text.substring(start, found));
        start = Math.min(lineEnd, text.length());
        from = start;
        separated = true;
      }
    }
    add(separated ? name + "#" + number : name, text.substring(start));
  }

  /** A document for each article; blank lines before the first heading belong to the first. */
  private void addArticles(String text, String name) {
    int number = 0;
    int start = 0;
    boolean seenHeading = false;
    Matcher heading = ARTICLE_HEADING.matcher(text);
    while (heading.find()) {
      if (seenHeading) {
        add(name + "#" + number++, text.substring(start, heading.start()));
        start = heading.start();
      }
      seenHeading = true;
    }
    add(name + "#" + number, text.substring(start));
  }

  private void readDirectory(Path directory, String name, int depth) throws IOException {
    if (depth > limits.depth()) {
      throw tooLarge(directory.toString(), "nesting", limits.depth(), "directories");
    }
    for (Path entry : storage.list(directory)) {
      String entryName = name + "/" + fileName(entry);
      if (fileName(entry).startsWith(".")) {
        continue;
      }
      if (storage.isDirectory(entry)) {
        readDirectory(entry, entryName, depth + 1);
      } else if (isArchive(entry)) {
        readArchive(entry, entryName);
      } else {
        add(entryName, readFile(entry));
      }
    }
  }

  private void readArchive(Path file, String name) throws IOException {
    List<Document> entries = new ArrayList<>();
    int numEntries = 0;
    try (ZipInputStream zip = new ZipInputStream(storage.open(file))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        if (++numEntries > limits.numEntries()) {
          throw tooLarge(file.toString(), "entries", limits.numEntries(), "entries");
        }
        String where = file + "!" + entry.getName();
        // reading also what is skipped counts its bytes
        byte[] bytes = readBounded(zip, where, limits.entryBytes());
        if (isJavaSource(entry)) {
          entries.add(new Document(name + "!" + entry.getName(), decode(bytes, where)));
        }
      }
    } catch (ZipException | EOFException | IllegalArgumentException e) {
      throw new CorruptFileException(
          "%s is a damaged archive (%s); fetch it again.".formatted(file, e.getMessage()), e);
    }
    if (numEntries == 0) {
      throw new CorruptFileException(
          "%s is no archive or an empty one; fetch it again.".formatted(file));
    }
    entries.sort(Comparator.comparing(Document::id));
    entries.forEach(document -> add(document.id(), document.text()));
  }

  private String readFile(Path file) throws IOException {
    try (InputStream raw = storage.open(file);
        InputStream in = fileName(file).endsWith(".gz") ? new GZIPInputStream(raw) : raw) {
      return decode(readBounded(in, file.toString(), limits.textBytes()), file.toString());
    } catch (ZipException | EOFException e) {
      throw new CorruptFileException(
          "%s is a damaged .gz file (%s); fetch it again.".formatted(file, e.getMessage()), e);
    }
  }

  private byte[] readBounded(InputStream in, String where, long maxBytes) throws IOException {
    byte[] bytes = in.readNBytes((int) Math.min(maxBytes + 1, Integer.MAX_VALUE - 8));
    if (bytes.length > maxBytes) {
      throw tooLarge(where, "size", maxBytes, "bytes unpacked");
    }
    corpusBytes += bytes.length;
    if (corpusBytes > limits.corpusBytes()) {
      throw tooLarge("The corpus, up to " + where + ",", "size", limits.corpusBytes(), "bytes");
    }
    return bytes;
  }

  private void add(String id, String text) {
    if (!text.isBlank()) {
      boolean splits = format == CorpusFormat.SPLIT_WORDS;
      documents.add(new Document(id, splits ? WordSplitter.split(text) : text));
    }
  }

  private static String decode(byte[] bytes, String where) {
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer in = ByteBuffer.wrap(bytes);
    // UTF-8 never has fewer bytes than UTF-16 has code units
    CharBuffer out = CharBuffer.allocate(bytes.length);
    CoderResult result = decoder.decode(in, out, true);
    if (result.isError()) {
      throw new CorruptFileException(
          "%s is not UTF-8 at byte offset %d (0x%02x); convert it to UTF-8, or leave it out."
              .formatted(where, in.position(), bytes[in.position()]));
    }
    return out.flip().toString();
  }

  private static boolean isJavaSource(ZipEntry entry) {
    String name = entry.getName();
    return name.endsWith(".java")
        && !name.endsWith("package-info.java")
        && !name.endsWith("module-info.java");
  }

  private static boolean isArchive(Path file) {
    return fileName(file).endsWith(".jar") || fileName(file).endsWith(".zip");
  }

  private static String fileName(Path path) {
    Path name = path.toAbsolutePath().normalize().getFileName();
    return name == null ? "root" : name.toString();
  }

  private static CorruptFileException tooLarge(
      String where, String what, long limit, String units) {
    return new CorruptFileException(
        "%s exceeds the limit on %s, %d %s; split it or leave it out."
            .formatted(where, what, limit, units));
  }
}
