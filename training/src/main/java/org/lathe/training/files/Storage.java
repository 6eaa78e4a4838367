package org.lathe.training.files;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * The few file operations that Lathe needs, and the only door through which its readers, writers
 * and stores touch a disk, so that a test can make any single one of them fail.
 */
public interface Storage {

  /** Starts a new file; fails when it exists. Closing flushes but does not sync, see force. */
  OutputStream create(Path file) throws IOException;

  /** Continues a file, or starts it. */
  OutputStream append(Path file) throws IOException;

  InputStream open(Path file) throws IOException;

  /** Maps bytes [position, position + size) read-only; size at most Integer.MAX_VALUE. */
  ByteBuffer map(Path file, long position, long size) throws IOException;

  /** Forces a file's bytes, or a directory's entries, to the disk. */
  void force(Path fileOrDirectory) throws IOException;

  /** Renames atomically; the target must not exist, unless it is a file and the source one too. */
  void move(Path source, Path target) throws IOException;

  /** Cuts a file to this size. */
  void truncate(Path file, long size) throws IOException;

  void createDirectories(Path directory) throws IOException;

  /** Deletes a file or an empty directory; does nothing when it is absent. */
  void delete(Path path) throws IOException;

  /** Entries of a directory, sorted by name. */
  List<Path> list(Path directory) throws IOException;

  boolean exists(Path path);

  boolean isDirectory(Path path);

  /** True for a link itself, whatever it points to; links lead out of a directory. */
  boolean isSymbolicLink(Path path);

  long size(Path file) throws IOException;

  /** Free bytes where this path lies or would lie. */
  long usableSpace(Path path) throws IOException;
}
