package org.lathe.graphs.errors;

/** Training produced a loss or gradient that is not finite. Exit code 4. */
public final class DivergedException extends LatheException {
  private static final long serialVersionUID = 1L;

  public DivergedException(String message) {
    super(4, message);
  }

  public DivergedException(String message, Throwable cause) {
    super(4, message, cause);
  }
}
