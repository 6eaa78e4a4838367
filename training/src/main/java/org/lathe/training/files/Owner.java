package org.lathe.training.files;

import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The process that owns a staging directory or a lock: its id and its start, because ids are used
 * again. Processes of this machine only; another container's ids mean nothing here.
 *
 * @param startMs start of the process in milliseconds since 1970, 0 where unknown
 */
record Owner(long pid, long startMs) {
  /** The boot time that process starts are counted from moves a little when clocks are set. */
  private static final long START_TOLERANCE_MS = 2_000;

  /** What this very process holds now; a failed release must not look like a living owner. */
  private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

  static Owner self() {
    ProcessHandle handle = ProcessHandle.current();
    return new Owner(handle.pid(), startMs(handle));
  }

  /** Notes that this process holds the path; false when it already does. */
  static boolean hold(Path path) {
    return HELD.add(path.toAbsolutePath().normalize());
  }

  static void release(Path path) {
    HELD.remove(path.toAbsolutePath().normalize());
  }

  /** From {@link #toString()}; null when it is something else. */
  static @Nullable Owner parse(String text) {
    int dash = text.indexOf('-');
    if (dash < 0) {
      return null;
    }
    try {
      return new Owner(
          Long.parseLong(text.substring(0, dash)), Long.parseLong(text.substring(dash + 1)));
    } catch (NumberFormatException e) {
      return null;
    }
  }

  /** Whether this process is alive and still holds the path. */
  boolean holds(Path path) {
    if (pid == ProcessHandle.current().pid()) {
      return HELD.contains(path.toAbsolutePath().normalize());
    }
    Optional<ProcessHandle> handle =
        pid < 1 ? Optional.empty() : ProcessHandle.of(pid).filter(ProcessHandle::isAlive);
    if (handle.isEmpty()) {
      return false;
    }
    long actualMs = startMs(handle.get());
    return startMs == 0 || actualMs == 0 || Math.abs(actualMs - startMs) <= START_TOLERANCE_MS;
  }

  @Override
  public String toString() {
    return pid + "-" + startMs;
  }

  private static long startMs(ProcessHandle handle) {
    return handle.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
  }
}
