package org.lathe.training.files;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One writing process per run directory: a file {@code .lock} with the owner's process id and
 * start. Advisory, and for processes of one machine. The lock of a process that is gone is taken
 * over.
 */
public final class RunLock implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(RunLock.class);

  /** An owner is written right after its file is made; longer than this and the writer is dead. */
  private static final int OWNER_TRIES = 10;

  private static final int OWNER_WAIT_MS = 20;

  private final Storage storage;
  private final Path file;

  private RunLock(Storage storage, Path file) {
    this.storage = storage;
    this.file = file;
  }

  /**
   * Takes the lock of a run directory, which is created if absent.
   *
   * @throws FailedException naming the process that holds it, or when the disk fails
   */
  public static RunLock acquire(Storage storage, Path runDirectory) {
    Path file = runDirectory.resolve(".lock");
    IoGuard.run(storage, "create", runDirectory, () -> storage.createDirectories(runDirectory));
    if (!Owner.hold(file)) {
      throw held(file, Owner.self());
    }
    boolean taken = false;
    try {
      if (!create(storage, file)) {
        retire(storage, file);
        if (!create(storage, file)) {
          throw held(file, owner(storage, file));
        }
      }
      taken = true;
      return new RunLock(storage, file);
    } catch (IOException e) {
      throw IoGuard.failed(storage, "lock", file, e);
    } finally {
      if (!taken) {
        Owner.release(file);
      }
    }
  }

  @Override
  public void close() {
    try {
      storage.delete(file);
    } catch (IOException e) {
      LOG.warn("cannot remove {}: {}; the next start takes it over", file, e.getMessage());
    } finally {
      Owner.release(file);
    }
  }

  /** False when the file exists; of several processes one wins. */
  private static boolean create(Storage storage, Path file) throws IOException {
    try (OutputStream out = storage.create(file)) {
      out.write(Owner.self().toString().getBytes(StandardCharsets.UTF_8));
      return true;
    } catch (FileAlreadyExistsException e) {
      return false;
    }
  }

  /** Moves a dead owner's lock aside. */
  private static void retire(Storage storage, Path file) throws IOException {
    @Nullable Owner before = owner(storage, file);
    if (isHeldByOther(file, before)) {
      throw held(file, before);
    }
    LOG.info("taking over {} of a process that is gone: {}", file, before);
    Path aside = file.resolveSibling(".trash-" + UUID.randomUUID());
    storage.move(file, aside);
    // another process may have been faster and this may be its fresh lock
    @Nullable Owner after = owner(storage, aside);
    if (isHeldByOther(file, after)) {
      storage.move(aside, file);
      throw held(file, after);
    }
    storage.delete(aside);
  }

  /** This process has just noted that it takes the lock, so a file of its own is a leftover. */
  private static boolean isHeldByOther(Path file, @Nullable Owner owner) {
    return owner != null && owner.pid() != Owner.self().pid() && owner.holds(file);
  }

  private static @Nullable Owner owner(Storage storage, Path file) {
    for (int i = 0; i < OWNER_TRIES; i++) {
      String text;
      try {
        text = new String(JsonFile.readBytes(storage, file), StandardCharsets.UTF_8);
      } catch (CorruptFileException e) {
        // gone meanwhile
        return null;
      }
      Owner owner = Owner.parse(text);
      if (owner != null) {
        return owner;
      }
      try {
        Thread.sleep(OWNER_WAIT_MS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return null;
      }
    }
    return null;
  }

  private static FailedException held(Path file, @Nullable Owner owner) {
    return new FailedException(
        file.toAbsolutePath().getParent()
            + " is in use by process "
            + (owner == null ? "unknown" : owner.pid())
            + " ("
            + file.getFileName()
            + "); wait for it, stop it, or use another run directory");
  }
}
