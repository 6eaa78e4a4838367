package org.lathe.graphs.errors;

/**
 * Root of every failure that Lathe reports on purpose. The message says what went wrong, where,
 * what was expected and found, and what to do next; {@link #exitCode()} is the process exit code.
 */
public abstract class LatheException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int exitCode;

  protected LatheException(int exitCode, String message) {
    super(message);
    this.exitCode = exitCode;
  }

  protected LatheException(int exitCode, String message, Throwable cause) {
    super(message, cause);
    this.exitCode = exitCode;
  }

  /** 1 failed, 2 usage, 3 corrupt or hostile input, 4 diverged. */
  public final int exitCode() {
    return exitCode;
  }
}
