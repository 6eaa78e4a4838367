package org.lathe.training.files;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Walks directories through the storage port; never follows symbolic links. */
final class DirectoryTree {
  private DirectoryTree() {}

  /** All files below, links included, sorted by name within each directory. */
  static List<Path> files(Storage storage, Path directory) throws IOException {
    List<Path> files = new ArrayList<>();
    walk(storage, directory, files, new ArrayList<>());
    return files;
  }

  /** All directories below, the deepest first, this one last. */
  static List<Path> directories(Storage storage, Path directory) throws IOException {
    List<Path> directories = new ArrayList<>();
    walk(storage, directory, new ArrayList<>(), directories);
    return directories;
  }

  /** Deletes a directory with all it holds; links are removed, not what they point to. */
  static void delete(Storage storage, Path path) throws IOException {
    if (isRealDirectory(storage, path)) {
      List<Path> children;
      try {
        children = storage.list(path);
      } catch (NoSuchFileException e) {
        // another process deletes the same thing
        return;
      }
      for (Path child : children) {
        delete(storage, child);
      }
    }
    storage.delete(path);
  }

  private static void walk(
      Storage storage, Path directory, List<Path> files, List<Path> directories)
      throws IOException {
    for (Path child : storage.list(directory)) {
      if (isRealDirectory(storage, child)) {
        walk(storage, child, files, directories);
      } else {
        files.add(child);
      }
    }
    directories.add(directory);
  }

  private static boolean isRealDirectory(Storage storage, Path path) {
    return storage.isDirectory(path) && !storage.isSymbolicLink(path);
  }
}
