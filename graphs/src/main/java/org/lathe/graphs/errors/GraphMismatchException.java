package org.lathe.graphs.errors;

/**
 * Weights or a checkpoint that do not fit the graph: the message lists at most ten differing names.
 * Exit code 3.
 */
public final class GraphMismatchException extends LatheException {
  private static final long serialVersionUID = 1L;

  public GraphMismatchException(String message) {
    super(3, message);
  }

  public GraphMismatchException(String message, Throwable cause) {
    super(3, message, cause);
  }
}
