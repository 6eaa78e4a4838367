package org.lathe.graphs.errors;

/** An input that is damaged, hostile, foreign or empty. Exit code 3. */
public final class CorruptFileException extends LatheException {
  private static final long serialVersionUID = 1L;

  public CorruptFileException(String message) {
    super(3, message);
  }

  public CorruptFileException(String message, Throwable cause) {
    super(3, message, cause);
  }
}
