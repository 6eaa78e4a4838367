package org.lathe.training.files;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A real storage that fails on command. Counts operations (calls, and each write, read and close of
 * a stream), fails the n-th, runs out of space, or loses power: then every file that was not forced
 * is damaged and renames that were not forced are undone. Files that native code wrote into
 * directories created here count as not forced until {@link #force}.
 */
public final class FaultyStorage implements Storage {
  /** What happened, in order: operation and path, the target for a move. */
  public record Call(String operation, Path path) {
    @Override
    public String toString() {
      return operation + " " + path.getFileName();
    }
  }

  private final Storage disk;
  private final List<Call> trace = new ArrayList<>();
  private final Set<FilterOutputStream> openOutputs = new HashSet<>();
  private int numOpenInputs;

  private int failAt;
  private boolean persistent;
  private String failure = "";
  private boolean fired;

  private int crashAt;
  private Damage damage = Damage.UNCHANGED;
  private boolean keepRenames;
  private boolean crashed;

  private long quotaBytes = Long.MAX_VALUE;
  private boolean quotaShown;
  private long writtenBytes;
  private final Map<Path, Long> countedBytes = new HashMap<>();

  private final UnforcedChanges unforced = new UnforcedChanges();

  public FaultyStorage(Storage disk) {
    this.disk = disk;
  }

  /** From now on the n-th operation (1 is the next one) fails, and all later ones if persistent. */
  public FaultyStorage failNth(int n, boolean isPersistent, String message) {
    failAt = trace.size() + n;
    persistent = isPersistent;
    failure = message;
    return this;
  }

  /** After so many more bytes the disk is full; a write then stores what still fits. */
  public FaultyStorage quotaBytes(long bytes) {
    quotaBytes = writtenBytes + bytes;
    return this;
  }

  /** Lets {@link #usableSpace} tell the truth about the quota. */
  public FaultyStorage showQuota() {
    quotaShown = true;
    return this;
  }

  /** After the n-th operation from now the power is lost. */
  public FaultyStorage crashAfterNth(int n, Damage whatDamage, boolean keepsRenames) {
    crashAt = trace.size() + n;
    damage = whatDamage;
    keepRenames = keepsRenames;
    return this;
  }

  /** Whether a programmed fault, full disk or crash has happened. */
  public boolean fired() {
    return fired;
  }

  public List<Call> trace() {
    return Collections.unmodifiableList(trace);
  }

  public int numOpenHandles() {
    return openOutputs.size() + numOpenInputs;
  }

  @Override
  public OutputStream create(Path file) throws IOException {
    before("create", file);
    OutputStream out = new Output(disk.create(file), file);
    after();
    return out;
  }

  @Override
  public OutputStream append(Path file) throws IOException {
    before("append", file);
    OutputStream out = new Output(disk.append(file), file);
    after();
    return out;
  }

  @Override
  public InputStream open(Path file) throws IOException {
    before("open", file);
    return new Input(disk.open(file), file);
  }

  @Override
  public ByteBuffer map(Path file, long position, long size) throws IOException {
    before("map", file);
    return disk.map(file, position, size);
  }

  @Override
  public void force(Path path) throws IOException {
    before("force", path);
    // the disk itself is not synced: hundreds of tests would wait, and here power is only simulated
    if (disk.isDirectory(path)) {
      unforced.directoryForced(path, disk.list(path));
    } else {
      // delayed allocation: bytes of native code meet the full disk only now
      long size = disk.size(path);
      take(path, size - countedBytes.getOrDefault(UnforcedChanges.key(path), 0L));
      unforced.fileForced(path);
    }
    after();
  }

  @Override
  public void move(Path source, Path target) throws IOException {
    before("move", target);
    disk.move(source, target);
    unforced.moved(source, target);
    after();
  }

  @Override
  public void truncate(Path file, long size) throws IOException {
    before("truncate", file);
    disk.truncate(file, size);
    unforced.written(file);
    after();
  }

  @Override
  public void createDirectories(Path directory) throws IOException {
    before("createDirectories", directory);
    for (Path path = UnforcedChanges.key(directory); path != null; path = path.getParent()) {
      if (!disk.exists(path)) {
        unforced.directoryCreated(path);
      }
    }
    disk.createDirectories(directory);
    after();
  }

  @Override
  public void delete(Path path) throws IOException {
    before("delete", path);
    disk.delete(path);
    unforced.deleted(path);
    after();
  }

  @Override
  public List<Path> list(Path directory) throws IOException {
    before("list", directory);
    return disk.list(directory);
  }

  @Override
  public boolean exists(Path path) {
    requirePower();
    return disk.exists(path);
  }

  @Override
  public boolean isDirectory(Path path) {
    requirePower();
    return disk.isDirectory(path);
  }

  @Override
  public boolean isSymbolicLink(Path path) {
    requirePower();
    return disk.isSymbolicLink(path);
  }

  @Override
  public long size(Path file) throws IOException {
    before("size", file);
    return disk.size(file);
  }

  @Override
  public long usableSpace(Path path) throws IOException {
    before("usableSpace", path);
    return quotaShown ? quotaBytes - writtenBytes : disk.usableSpace(path);
  }

  private void before(String operation, Path path) throws IOException {
    requirePower();
    trace.add(new Call(operation, path));
    if (failAt > 0 && (trace.size() == failAt || (persistent && trace.size() > failAt))) {
      fired = true;
      throw new IOException(failure);
    }
  }

  private void after() {
    if (crashAt > 0 && trace.size() >= crashAt) {
      fired = true;
      crashed = true;
      try {
        losePower();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      throw new Crash("power lost after operation " + trace.size() + ": " + last());
    }
  }

  private Call last() {
    return trace.get(trace.size() - 1);
  }

  private void requirePower() {
    if (crashed) {
      throw new Crash("no power");
    }
  }

  private void losePower() throws IOException {
    for (FilterOutputStream out : List.copyOf(openOutputs)) {
      ((Output) out).abandon();
    }
    unforced.lose(damage, keepRenames);
  }

  /** Takes space on the disk. */
  private void take(Path file, long bytes) throws IOException {
    if (bytes > 0) {
      if (writtenBytes + bytes > quotaBytes) {
        fired = true;
        writtenBytes = quotaBytes;
        throw new IOException("No space left on device");
      }
      writtenBytes += bytes;
      countedBytes.merge(UnforcedChanges.key(file), bytes, Long::sum);
    }
  }

  private final class Output extends FilterOutputStream {
    private final Path file;

    Output(OutputStream out, Path file) {
      super(out);
      this.file = file;
      unforced.written(file);
      openOutputs.add(this);
    }

    @Override
    public void write(int b) throws IOException {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      try {
        before("write", file);
      } catch (IOException e) {
        // as a disk may: a part arrives
        out.write(bytes, offset, length / 2);
        throw e;
      }
      long fits = Math.max(0, Math.min(length, quotaBytes - writtenBytes));
      out.write(bytes, offset, (int) fits);
      take(file, length);
      after();
    }

    @Override
    public void close() throws IOException {
      if (!openOutputs.remove(this)) {
        return;
      }
      try {
        before("close", file);
      } finally {
        out.close();
      }
      after();
    }

    void abandon() throws IOException {
      openOutputs.remove(this);
      out.close();
    }
  }

  private final class Input extends FilterInputStream {
    private final Path file;
    private boolean open = true;

    Input(InputStream in, Path file) {
      super(in);
      this.file = file;
      numOpenInputs++;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      before("read", file);
      return in.read(bytes, offset, length);
    }

    @Override
    public void close() throws IOException {
      if (!open) {
        return;
      }
      open = false;
      numOpenInputs--;
      try {
        before("close", file);
      } finally {
        in.close();
      }
    }
  }
}
