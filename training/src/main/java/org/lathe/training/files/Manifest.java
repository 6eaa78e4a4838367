package org.lathe.training.files;

import com.google.common.collect.ImmutableList;
import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FormatTooNewException;

/**
 * What a committed directory holds: MANIFEST.json, the file written last. Its own last field is the
 * SHA-256 of its text with zeros in that place, so that no bit of it can change unnoticed; this
 * field is the same in all format versions. It protects against accidents, not against attackers.
 *
 * @param kind what the directory is, "checkpoint" for instance
 * @param formatVersion of the directory's layout
 * @param facts about the content, defined by the kind
 * @param files every file but the manifest, sorted by path
 */
public record Manifest(
    String kind, int formatVersion, Map<String, Object> facts, List<Entry> files) {
  public static final String FILE_NAME = "MANIFEST.json";

  /** The newest version that this code reads, and the one that it writes. */
  public static final int FORMAT_VERSION = 1;

  private static final String NO_CHECKSUM = "0".repeat(64);
  private static final String END = "\"\n}\n";
  private static final int BUFFER_SIZE_BYTES = 1 << 18;

  /**
   * @param path relative to the directory, with forward slashes
   * @param sha256 64 lower-case hexadecimal digits
   */
  public record Entry(String path, long sizeBytes, String sha256) {}

  public Manifest {
    facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
    files = ImmutableList.copyOf(files);
  }

  /**
   * Reads the manifest and checks its own checksum; the files that it lists are not looked at, see
   * {@link #verify}.
   *
   * @throws CorruptFileException when it is absent, damaged, or lists a path outside the directory
   * @throws FormatTooNewException when a newer Lathe wrote it
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  public static Manifest read(Storage storage, Path directory) {
    Path file = directory.resolve(FILE_NAME);
    byte[] bytes = JsonFile.readBytes(storage, file);
    Map<String, Object> object = JsonFile.parse(bytes, file);
    requireChecksum(file, bytes, object);
    long version = field(file, object, "formatVersion", Long.class);
    if (version > FORMAT_VERSION) {
      throw new FormatTooNewException(
          file
              + ": format version "
              + version
              + ", this Lathe reads up to "
              + FORMAT_VERSION
              + "; use the Lathe that wrote it or a newer one");
    }
    if (version < 1) {
      throw corrupt(file, "format version " + version + ", expected 1 to " + FORMAT_VERSION);
    }
    List<Entry> entries = new ArrayList<>();
    Set<String> paths = new HashSet<>();
    for (Object item : field(file, object, "files", List.class)) {
      Entry entry = entry(file, item);
      requireInside(file, directory, entry.path());
      if (!paths.add(entry.path())) {
        throw corrupt(file, "lists '" + entry.path() + "' twice");
      }
      entries.add(entry);
    }
    return new Manifest(
        field(file, object, "kind", String.class),
        (int) version,
        object(file, field(file, object, "facts", Map.class)),
        entries);
  }

  /**
   * Reads the manifest of a committed directory and checks all its files.
   *
   * @throws CorruptFileException naming what is damaged, or when the directory is of another kind
   * @throws FormatTooNewException when a newer Lathe wrote it
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  public static Manifest verified(Storage storage, Path directory, String kind) {
    Manifest manifest = Manifest.read(storage, directory);
    if (!manifest.kind().equals(kind)) {
      throw new CorruptFileException(
          directory + " is a " + manifest.kind() + ", expected a " + kind);
    }
    manifest.verify(storage, directory);
    return manifest;
  }

  /**
   * Checks every listed file: that it exists inside the directory, its size and its SHA-256.
   *
   * @throws CorruptFileException naming the first file that differs
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  public void verify(Storage storage, Path directory) {
    // sizes first: cheap, and the commonest damage
    for (Entry entry : files) {
      Path file = directory.resolve(entry.path());
      requireNoLink(storage, directory, entry.path());
      if (!storage.exists(file) || storage.isDirectory(file)) {
        throw corrupt(file, "is missing, but " + FILE_NAME + " lists it");
      }
      long sizeBytes = IoGuard.call(storage, "read", file, () -> storage.size(file));
      if (sizeBytes != entry.sizeBytes()) {
        throw corrupt(
            file, "has " + sizeBytes + " bytes, " + FILE_NAME + " expects " + entry.sizeBytes());
      }
    }
    for (Entry entry : files) {
      Path file = directory.resolve(entry.path());
      Entry found;
      try {
        found = describe(storage, directory, file);
      } catch (NoSuchFileException | FileNotFoundException e) {
        throw new CorruptFileException(file + " vanished while it was being checked", e);
      } catch (IOException e) {
        throw IoGuard.failed(storage, "read", file, e);
      }
      if (!found.equals(entry)) {
        throw corrupt(
            file, "SHA-256 is " + found.sha256() + ", " + FILE_NAME + " expects " + entry.sha256());
      }
    }
  }

  /**
   * Reads a fact.
   *
   * @throws CorruptFileException when it is absent or of another type
   */
  public <T> T fact(Path directory, String name, Class<T> type) {
    return field(directory.resolve(FILE_NAME), facts, name, type);
  }

  /** Size and checksum of a file as it lies on the disk now. */
  static Entry describe(Storage storage, Path directory, Path file) throws IOException {
    Hasher hasher = Hashing.sha256().newHasher();
    byte[] buffer = new byte[BUFFER_SIZE_BYTES];
    long sizeBytes = 0;
    try (InputStream in = storage.open(file)) {
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        hasher.putBytes(buffer, 0, read);
        sizeBytes += read;
      }
    }
    return new Entry(
        directory.relativize(file).toString().replace('\\', '/'),
        sizeBytes,
        hasher.hash().toString());
  }

  void write(Storage storage, Path directory) {
    List<Map<String, Object>> entries = new ArrayList<>();
    for (Entry entry : files) {
      Map<String, Object> item = new LinkedHashMap<>();
      item.put("path", entry.path());
      item.put("sizeBytes", entry.sizeBytes());
      item.put("sha256", entry.sha256());
      entries.add(item);
    }
    // sorted by key this has the checksum first, so the order is given by hand
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("kind", kind);
    object.put("formatVersion", formatVersion);
    object.put("facts", facts);
    object.put("files", entries);
    object.put("sha256", NO_CHECKSUM);
    String text = JsonFile.format(object);
    String start = text.substring(0, text.length() - END.length() - NO_CHECKSUM.length());
    String sealed = start + Hashing.sha256().hashString(text, StandardCharsets.UTF_8) + END;
    JsonFile.writeBytes(
        storage, directory.resolve(FILE_NAME), sealed.getBytes(StandardCharsets.UTF_8));
  }

  private static void requireChecksum(Path file, byte[] bytes, Map<String, Object> object) {
    String expected = field(file, object, "sha256", String.class);
    String text = new String(bytes, StandardCharsets.UTF_8);
    int at = text.length() - END.length() - NO_CHECKSUM.length();
    if (at < 0 || !text.endsWith(expected + END) || expected.length() != NO_CHECKSUM.length()) {
      throw corrupt(file, "does not end with its own checksum, field sha256");
    }
    String found =
        Hashing.sha256()
            .hashString(text.substring(0, at) + NO_CHECKSUM + END, StandardCharsets.UTF_8)
            .toString();
    if (!found.equals(expected)) {
      throw corrupt(file, "its own SHA-256 is " + found + ", its field sha256 says " + expected);
    }
  }

  private static Entry entry(Path file, Object item) {
    Map<String, Object> object = object(file, item);
    long sizeBytes = field(file, object, "sizeBytes", Long.class);
    if (sizeBytes < 0) {
      throw corrupt(file, "field sizeBytes is negative: " + sizeBytes);
    }
    return new Entry(
        field(file, object, "path", String.class),
        sizeBytes,
        field(file, object, "sha256", String.class));
  }

  private static void requireInside(Path file, Path directory, String name) {
    boolean inside;
    try {
      Path root = directory.toAbsolutePath().normalize();
      Path resolved = root.resolve(name).normalize();
      // the spelling must be the plain one: no '.', no '//', no drive, no backslash
      inside =
          resolved.startsWith(root)
              && !resolved.equals(root)
              && name.indexOf('\\') < 0
              && name.indexOf(':') < 0
              && root.relativize(resolved).toString().replace('\\', '/').equals(name);
    } catch (InvalidPathException e) {
      inside = false;
    }
    if (!inside) {
      throw corrupt(file, "lists a path that is not a plain one inside its directory: " + name);
    }
  }

  private static void requireNoLink(Storage storage, Path directory, String name) {
    Path path = directory;
    for (String part : name.split("/", -1)) {
      path = path.resolve(part);
      if (storage.isSymbolicLink(path)) {
        throw corrupt(path, "is a symbolic link, expected a file of this directory");
      }
    }
  }

  private static <T> T field(Path file, Map<String, Object> object, String name, Class<T> type) {
    @Nullable Object value = object.get(name);
    if (!type.isInstance(value)) {
      throw corrupt(
          file, "field " + name + " should be a " + type.getSimpleName() + ", found " + value);
    }
    return type.cast(value);
  }

  private static Map<String, Object> object(Path file, @Nullable Object value) {
    if (!(value instanceof Map<?, ?> map)) {
      throw corrupt(file, "expected an object, found " + value);
    }
    Map<String, Object> object = new LinkedHashMap<>();
    map.forEach((key, item) -> object.put(String.valueOf(key), item));
    return object;
  }

  private static CorruptFileException corrupt(Path file, String what) {
    return new CorruptFileException(
        file + ": " + what + "; restore this directory from a copy, or remove it");
  }
}
