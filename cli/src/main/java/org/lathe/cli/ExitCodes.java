package org.lathe.cli;

/** What the process tells its caller; part of the frozen interface. */
public final class ExitCodes {
  public static final int DONE = 0;

  /** The input was sound but the work could not be done: disk full, target missed, a defect. */
  public static final int FAILED = 1;

  /** The command line or the configuration cannot be meant. */
  public static final int USAGE = 2;

  /** An input is damaged, hostile, foreign or empty. */
  public static final int CORRUPT = 3;

  /** Training produced a loss or a gradient that is not finite. */
  public static final int DIVERGED = 4;

  /** Stopped by a signal after a clean checkpoint. */
  public static final int INTERRUPTED = 130;

  private ExitCodes() {}
}
