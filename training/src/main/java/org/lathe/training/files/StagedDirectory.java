package org.lathe.training.files;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.FailedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A directory that appears as a whole or not at all. Files are written, by us or by native code,
 * into a hidden sibling of the target; {@link #commit} adds the manifest, forces everything to the
 * disk and renames once. After a kill or a power loss the target is absent or complete.
 *
 * <p>The hidden name is {@code .staging-UUID_PID-START}: the owner is part of the name, since a
 * name comes into being in one piece and a file inside would not.
 */
public final class StagedDirectory implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(StagedDirectory.class);
  private static final String STAGING = ".staging-";
  private static final String TRASH = ".trash-";

  private final Storage storage;
  private final Path target;
  private final Path staging;
  private final long estimatedBytes;
  private boolean moved;

  private StagedDirectory(Storage storage, Path target, Path staging, long estimatedBytes) {
    this.storage = storage;
    this.target = target;
    this.staging = staging;
    this.estimatedBytes = estimatedBytes;
  }

  /**
   * Starts a directory beside its target, on the same file system.
   *
   * @param estimatedBytes of all files together; a tenth more must be free
   * @throws FailedException when the target exists, there is too little space, or the disk fails
   */
  public static StagedDirectory begin(Storage storage, Path target, long estimatedBytes) {
    Path parent = parent(target);
    requireAbsent(storage, target);
    IoGuard.run(storage, "create", parent, () -> storage.createDirectories(parent));
    long freeBytes =
        IoGuard.call(storage, "ask for free space at", parent, () -> storage.usableSpace(parent));
    long neededBytes = neededBytes(estimatedBytes);
    if (freeBytes < neededBytes) {
      throw new FailedException(
          "too little space for "
              + target
              + ": needed "
              + neededBytes
              + " bytes, free "
              + freeBytes
              + " bytes; free some space or choose a directory on another disk");
    }
    Path staging = parent.resolve(STAGING + UUID.randomUUID() + "_" + Owner.self());
    Owner.hold(staging);
    boolean created = false;
    try {
      IoGuard.run(storage, "create", staging, () -> storage.createDirectories(staging));
      created = true;
    } finally {
      if (!created) {
        Owner.release(staging);
      }
    }
    return new StagedDirectory(storage, target, staging, estimatedBytes);
  }

  /** Where to write; hidden from readers until the commit. */
  public Path path() {
    return staging;
  }

  /**
   * Makes the target appear. Nothing may be written afterwards.
   *
   * @param kind what the directory is, see {@link Manifest}
   * @param facts about the content; JSON types only, no times and no machine names
   * @throws FailedException when the disk fails (the target is then absent, or complete if only the
   *     last force failed), or when somebody else made the target meanwhile
   */
  public void commit(String kind, Map<String, Object> facts) {
    Path manifestFile = staging.resolve(Manifest.FILE_NAME);
    if (storage.exists(manifestFile)) {
      throw new IllegalStateException("already holds a manifest: " + staging);
    }
    try {
      List<Path> files = DirectoryTree.files(storage, staging);
      List<Manifest.Entry> entries = new ArrayList<>();
      for (Path file : files) {
        if (storage.isSymbolicLink(file)) {
          throw new IllegalStateException("symbolic links cannot be committed: " + file);
        }
        entries.add(Manifest.describe(storage, staging, file));
      }
      entries.sort((a, b) -> a.path().compareTo(b.path()));
      new Manifest(kind, Manifest.FORMAT_VERSION, facts, entries).write(storage, staging);
      for (Path file : files) {
        storage.force(file);
      }
      storage.force(manifestFile);
      // the deepest first, the staging directory last
      for (Path directory : DirectoryTree.directories(storage, staging)) {
        storage.force(directory);
      }
    } catch (IOException e) {
      throw failed("write", staging, e);
    }
    requireAbsent(storage, target);
    try {
      storage.move(staging, target);
    } catch (IOException e) {
      // another process may have been faster, and says more than the disk's words
      requireAbsent(storage, target);
      throw failed("rename " + staging.getFileName() + " to", target, e);
    }
    moved = true;
    try {
      storage.force(parent(target));
    } catch (IOException e) {
      throw failed("force the new name in", parent(target), e);
    }
  }

  /** Removes what was not committed. Never throws for the disk: the next start sweeps leftovers. */
  @Override
  public void close() {
    try {
      if (!moved) {
        DirectoryTree.delete(storage, staging);
      }
    } catch (IOException e) {
      LOG.warn("cannot remove {}: {}; the next start tries again", staging, e.getMessage());
    } finally {
      Owner.release(staging);
    }
  }

  /**
   * Removes a committed directory: it vanishes in one rename and is deleted afterwards. Failures
   * are logged as warnings, since nothing depends on the success.
   */
  public static void discard(Storage storage, Path directory) {
    Path trash = parent(directory).resolve(TRASH + UUID.randomUUID());
    try {
      storage.move(directory, trash);
      DirectoryTree.delete(storage, trash);
    } catch (IOException e) {
      LOG.warn("cannot remove {}: {}; it takes space, nothing else", directory, e.getMessage());
    }
  }

  /**
   * Removes staging directories whose process is gone and everything that was discarded. For the
   * start of a program; failures are logged as warnings.
   */
  public static void sweep(Storage storage, Path parent) {
    if (!storage.isDirectory(parent)) {
      return;
    }
    List<Path> children;
    try {
      children = storage.list(parent);
    } catch (IOException e) {
      LOG.warn("cannot list {} to remove leftovers: {}", parent, e.getMessage());
      return;
    }
    for (Path child : children) {
      String name = child.getFileName().toString();
      if (name.startsWith(TRASH) || (name.startsWith(STAGING) && isStale(child, name))) {
        try {
          DirectoryTree.delete(storage, child);
          LOG.info("removed leftover {}", child);
        } catch (IOException e) {
          LOG.warn("cannot remove leftover {}: {}", child, e.getMessage());
        }
      }
    }
  }

  private static boolean isStale(Path staging, String name) {
    @Nullable Owner owner = Owner.parse(name.substring(name.indexOf('_') + 1));
    return owner == null || !owner.holds(staging);
  }

  private FailedException failed(String operation, Path path, IOException cause) {
    FailedException failure = IoGuard.failed(storage, operation, path, cause);
    return new FailedException(
        target
            + " was not "
            + (moved ? "made durable" : "written")
            + " (about "
            + neededBytes(estimatedBytes)
            + " bytes needed): "
            + failure.getMessage(),
        cause);
  }

  private static long neededBytes(long estimatedBytes) {
    return estimatedBytes + estimatedBytes / 10;
  }

  private static void requireAbsent(Storage storage, Path target) {
    if (storage.exists(target) || storage.isSymbolicLink(target)) {
      throw new FailedException(
          target + " exists already and is not overwritten; choose another name or remove it");
    }
  }

  private static Path parent(Path path) {
    Path parent = path.toAbsolutePath().getParent();
    if (parent == null) {
      throw new IllegalArgumentException("a directory without parent: " + path);
    }
    return parent;
  }
}
