package org.lathe.pruning;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.lathe.training.files.Storage;

/** Files in a map. */
public final class MemoryStorage implements Storage {
  private final Map<Path, byte[]> files = new HashMap<>();

  public void put(Path file, byte[] bytes) {
    files.put(file, bytes);
  }

  public byte[] get(Path file) throws IOException {
    byte[] bytes = files.get(file);
    if (bytes == null) {
      throw new FileNotFoundException(file.toString());
    }
    return bytes;
  }

  public int numFiles() {
    return files.size();
  }

  @Override
  public OutputStream create(Path file) throws IOException {
    if (files.containsKey(file)) {
      throw new FileAlreadyExistsException(file.toString());
    }
    return new ByteArrayOutputStream() {
      @Override
      public void close() {
        files.put(file, toByteArray());
      }
    };
  }

  @Override
  public OutputStream append(Path file) {
    throw new UnsupportedOperationException();
  }

  @Override
  public InputStream open(Path file) throws IOException {
    return new ByteArrayInputStream(get(file));
  }

  @Override
  public ByteBuffer map(Path file, long position, long size) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void force(Path fileOrDirectory) {}

  @Override
  public void move(Path source, Path target) throws IOException {
    files.put(target, get(source));
    files.remove(source);
  }

  @Override
  public void truncate(Path file, long size) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void createDirectories(Path directory) {}

  @Override
  public void delete(Path path) {
    files.remove(path);
  }

  @Override
  public List<Path> list(Path directory) {
    return files.keySet().stream().sorted().toList();
  }

  @Override
  public boolean exists(Path path) {
    return files.containsKey(path);
  }

  @Override
  public boolean isDirectory(Path path) {
    return false;
  }

  @Override
  public boolean isSymbolicLink(Path path) {
    return false;
  }

  @Override
  public long size(Path file) throws IOException {
    return get(file).length;
  }

  @Override
  public long usableSpace(Path path) {
    return Long.MAX_VALUE;
  }
}
