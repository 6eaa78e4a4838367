package org.lathe.graphs.errors;

/**
 * Work that could not be done although its input was sound: disk full, target missed. Exit code 1.
 */
public final class FailedException extends LatheException {
  private static final long serialVersionUID = 1L;

  public FailedException(String message) {
    super(1, message);
  }

  public FailedException(String message, Throwable cause) {
    super(1, message, cause);
  }
}
