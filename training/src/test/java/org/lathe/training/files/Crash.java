package org.lathe.training.files;

/** Simulated loss of power. An Error, so that nothing which handles failures handles it. */
public final class Crash extends Error {
  private static final long serialVersionUID = 1L;

  public Crash(String message) {
    super(message);
  }
}
