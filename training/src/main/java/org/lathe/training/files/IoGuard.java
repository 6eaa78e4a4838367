package org.lathe.training.files;

import java.io.IOException;
import java.nio.file.Path;
import org.lathe.graphs.errors.FailedException;

/** Turns a failed storage operation into an error that says operation, place and next step. */
public final class IoGuard {
  private IoGuard() {}

  /** A storage operation with a result. */
  public interface Operation<T> {
    T run() throws IOException;
  }

  /** A storage operation. */
  public interface Action {
    void run() throws IOException;
  }

  /**
   * @param operation a verb, for the message: "write", "force"
   * @throws FailedException when the operation fails, see {@link #failed}
   */
  public static <T> T call(Storage storage, String operation, Path path, Operation<T> body) {
    try {
      return body.run();
    } catch (IOException e) {
      throw failed(storage, operation, path, e);
    }
  }

  /** As {@link #call}, without a result. */
  public static void run(Storage storage, String operation, Path path, Action body) {
    try {
      body.run();
    } catch (IOException e) {
      throw failed(storage, operation, path, e);
    }
  }

  /** Example: "cannot write /runs/a/state.json: No space left on device (0 bytes free); ...". */
  public static FailedException failed(
      Storage storage, String operation, Path path, IOException cause) {
    String reason =
        cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    return new FailedException(
        "cannot "
            + operation
            + " "
            + path
            + ": "
            + reason
            + free(storage, path)
            + "; check free space, permissions and the disk, then run the command again",
        cause);
  }

  private static String free(Storage storage, Path path) {
    try {
      return " (" + storage.usableSpace(path) + " bytes free)";
    } catch (IOException e) {
      // only decorates the message of the failure that is already being reported
      return "";
    }
  }
}
