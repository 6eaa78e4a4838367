package org.lathe.graphs.errors;

/** A file of ours written by a newer Lathe. Exit code 3. */
public final class FormatTooNewException extends LatheException {
  private static final long serialVersionUID = 1L;

  public FormatTooNewException(String message) {
    super(3, message);
  }

  public FormatTooNewException(String message, Throwable cause) {
    super(3, message, cause);
  }
}
