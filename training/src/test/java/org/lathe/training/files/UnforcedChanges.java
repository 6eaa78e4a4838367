package org.lathe.training.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** What a disk may forget when the power goes: everything since it was last forced. */
final class UnforcedChanges {
  private record Rename(Path source, Path target) {}

  private Set<Path> createdDirectories = new HashSet<>();
  private Set<Path> writtenFiles = new HashSet<>();
  private Set<Path> forcedFiles = new HashSet<>();
  private Set<Path> forcedNames = new HashSet<>();
  private final List<Rename> renames = new ArrayList<>();

  /** Paths that mean the same file are equal. */
  static Path key(Path path) {
    return path.toAbsolutePath().normalize();
  }

  void written(Path file) {
    writtenFiles.add(key(file));
    forcedFiles.remove(key(file));
  }

  void directoryCreated(Path directory) {
    createdDirectories.add(key(directory));
  }

  void deleted(Path path) {
    createdDirectories.remove(key(path));
    writtenFiles.remove(key(path));
    forcedFiles.remove(key(path));
  }

  void moved(Path source, Path target) {
    Path from = key(source);
    Path to = key(target);
    UnaryOperator<Path> renamed =
        path -> path.startsWith(from) ? to.resolve(from.relativize(path)) : path;
    createdDirectories = map(createdDirectories, renamed);
    writtenFiles = map(writtenFiles, renamed);
    forcedFiles = map(forcedFiles, renamed);
    forcedNames = map(forcedNames, renamed);
    forcedNames.remove(to);
    renames.add(new Rename(from, to));
  }

  void fileForced(Path file) {
    forcedFiles.add(key(file));
    writtenFiles.remove(key(file));
  }

  /**
   * @param children the directory's entries at this moment
   */
  void directoryForced(Path directory, List<Path> children) {
    children.forEach(child -> forcedNames.add(key(child)));
    renames.removeIf(rename -> key(directory).equals(rename.target().getParent()));
  }

  /** Damages what was not forced and undoes renames that were not, directly on the disk. */
  void lose(Damage damage, boolean keepRenames) throws IOException {
    for (Path file : filesAtRisk()) {
      boolean bytesForced = forcedFiles.contains(file) && !writtenFiles.contains(file);
      // forced bytes without a forced name: the file as a whole is there or not
      if (!bytesForced || (damage == Damage.DELETED && !forcedNames.contains(file))) {
        damage.apply(file);
      }
    }
    if (!keepRenames) {
      Collections.reverse(renames);
      for (Rename rename : renames) {
        // what was moved may have been deleted since, and that deletion is forgotten too
        if (Files.exists(rename.target()) && !Files.exists(rename.source())) {
          Files.move(rename.target(), rename.source());
        }
      }
    }
  }

  private Set<Path> filesAtRisk() throws IOException {
    Set<Path> files = new HashSet<>();
    for (Path directory : createdDirectories) {
      if (Files.isDirectory(directory)) {
        try (Stream<Path> walk = Files.walk(directory)) {
          walk.filter(Files::isRegularFile).forEach(files::add);
        }
      }
    }
    writtenFiles.stream().filter(Files::exists).forEach(files::add);
    return files;
  }

  private static Set<Path> map(Set<Path> paths, UnaryOperator<Path> change) {
    Set<Path> changed = new HashSet<>();
    paths.forEach(path -> changed.add(change.apply(path)));
    return changed;
  }
}
