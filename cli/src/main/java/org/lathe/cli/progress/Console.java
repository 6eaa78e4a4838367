package org.lathe.cli.progress;

import java.io.PrintStream;
import java.util.function.LongSupplier;

/**
 * Where a person watches the work: notes and progress on standard error. Standard output belongs to
 * the outcome alone.
 */
public final class Console {
  private final PrintStream err;
  private final boolean terminal;
  private final LongSupplier nanoClock;

  /**
   * @param err standard error
   * @param terminal whether a person watches: a line may be overwritten
   * @param nanoClock System::nanoTime, or a test's clock
   */
  public Console(PrintStream err, boolean terminal, LongSupplier nanoClock) {
    this.err = err;
    this.terminal = terminal;
    this.nanoClock = nanoClock;
  }

  /** One line of its own, for instance what will be done and how large it is. */
  public void note(String line) {
    err.println(line);
    err.flush();
  }

  /**
   * Starts a progress display; close it in try-with-resources.
   *
   * @param label what goes on, a few words
   * @param total units of work; 0 where nothing will be shown
   */
  public ProgressLine progress(String label, long total) {
    return new ProgressLine(err, terminal, nanoClock, label, total);
  }
}
