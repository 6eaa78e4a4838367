package org.lathe.training.pretrained;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.Storage;

/** Files of a foreign directory: real ones, and in that directory. */
final class PlainFile {
  private PlainFile() {}

  /**
   * The file of this name beside another one.
   *
   * @param beside names the directory, and the file that says the name
   * @throws CorruptFileException when the name leads elsewhere, or there is no such file
   */
  static Path inside(Storage storage, Path beside, String name) {
    @Nullable Path file = null;
    try {
      Path resolved = beside.resolveSibling(name);
      // one plain component: no separator of any system, no drive, no '.' or '..'
      if (name.indexOf('/') < 0
          && name.indexOf('\\') < 0
          && name.indexOf(':') < 0
          && !name.isBlank()
          && resolved.equals(resolved.normalize())
          && resolved.getFileName().toString().equals(name)) {
        file = resolved;
      }
    } catch (InvalidPathException e) {
      file = null;
    }
    if (file == null) {
      throw new CorruptFileException(
          "%s names the file '%s', which is not a plain name in its own directory; do not use this checkpoint."
              .formatted(beside, name.replace('\0', '?')));
    }
    requireNoLink(storage, file);
    if (!storage.exists(file) || storage.isDirectory(file)) {
      throw new CorruptFileException(
          "%s is missing, but %s names it; download the checkpoint again."
              .formatted(file, beside.getFileName()));
    }
    return file;
  }

  /**
   * @throws CorruptFileException when this is a symbolic link, which may lead anywhere
   */
  static void requireNoLink(Storage storage, Path file) {
    if (storage.isSymbolicLink(file)) {
      throw new CorruptFileException(
          "%s is a symbolic link, expected a file of its directory; copy the directory with 'cp -rL' and use the copy."
              .formatted(file));
    }
  }
}
