package org.lathe.cli.progress;

import com.google.common.base.Preconditions;
import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * Progress of one piece of work: on a terminal a single line that is written over,
 *
 * <pre>train vanilla [=========>          ]  46%  368/800  loss 3.214  6,410 tokens/s  1:12 left
 * </pre>
 *
 * elsewhere the same line without the bar, at most every ten seconds. The last state is always
 * shown on close.
 */
public final class ProgressLine implements AutoCloseable {
  static final long LOG_INTERVAL_NANOS = 10_000_000_000L;
  static final long REDRAW_INTERVAL_NANOS = 100_000_000L;
  private static final int BAR_WIDTH = 20;

  private final PrintStream err;
  private final boolean terminal;
  private final LongSupplier nanoClock;
  private final String label;
  private final long total;
  private final long startNanos;
  private long firstDone = -1;
  private long lastShownNanos;
  private long shownDone = -1;
  private int shownWidth;
  private long done;
  private double loss = Double.NaN;
  private double tokensPerSecond = Double.NaN;

  ProgressLine(
      PrintStream err, boolean terminal, LongSupplier nanoClock, String label, long total) {
    Preconditions.checkArgument(total >= 0, "total (%s) must not be negative", total);
    this.err = err;
    this.terminal = terminal;
    this.nanoClock = nanoClock;
    this.label = label;
    this.total = total;
    this.startNanos = nanoClock.getAsLong();
    this.lastShownNanos = startNanos;
  }

  /** Progress without a loss: files read, tokens evaluated. */
  public void update(long newDone) {
    update(newDone, Double.NaN, Double.NaN);
  }

  /**
   * @param newDone units finished so far; the first call fixes where time is measured from, so that
   *     a resumed run does not look faster than it is
   * @param newLoss natural-log loss per token, or NaN to leave it out
   * @param newTokensPerSecond or NaN to leave it out
   */
  public void update(long newDone, double newLoss, double newTokensPerSecond) {
    done = newDone;
    loss = newLoss;
    tokensPerSecond = newTokensPerSecond;
    if (firstDone < 0) {
      firstDone = newDone;
    }
    long interval = terminal ? REDRAW_INTERVAL_NANOS : LOG_INTERVAL_NANOS;
    if (nanoClock.getAsLong() - lastShownNanos >= interval) {
      show();
    }
  }

  @Override
  public void close() {
    if (firstDone >= 0 && shownDone != done) {
      show();
    }
    if (terminal && shownWidth > 0) {
      err.println();
      err.flush();
    }
  }

  private void show() {
    lastShownNanos = nanoClock.getAsLong();
    shownDone = done;
    String line = line();
    if (terminal) {
      // blanks wipe what a longer line left behind
      int padding = Math.max(0, shownWidth - line.length());
      err.print("\r" + line + " ".repeat(padding));
      shownWidth = line.length();
    } else {
      err.println(line);
    }
    err.flush();
  }

  private String line() {
    double share = Math.min(1, (double) done / total);
    StringBuilder line = new StringBuilder(label);
    if (terminal) {
      int filled = (int) (share * BAR_WIDTH);
      line.append(" [").append("=".repeat(filled));
      line.append(filled < BAR_WIDTH ? ">" : "");
      line.append(" ".repeat(Math.max(0, BAR_WIDTH - filled - 1))).append(']');
    }
    line.append(String.format(Locale.ROOT, " %3d%%  %,d/%,d", (int) (share * 100), done, total));
    if (!Double.isNaN(loss)) {
      line.append(String.format(Locale.ROOT, "  loss %.3f", loss));
    }
    if (!Double.isNaN(tokensPerSecond)) {
      line.append(String.format(Locale.ROOT, "  %,.0f tokens/s", tokensPerSecond));
    }
    long elapsedNanos = lastShownNanos - startNanos;
    if (done >= total) {
      line.append("  ").append(clock(elapsedNanos)).append(" in all");
    } else if (done > firstDone) {
      double nanosPerUnit = (double) elapsedNanos / (done - firstDone);
      line.append("  ").append(clock((long) (nanosPerUnit * (total - done)))).append(" left");
    }
    return line.toString();
  }

  private static String clock(long nanos) {
    long seconds = Math.round(nanos / 1e9);
    if (seconds >= 3600) {
      return String.format(
          Locale.ROOT, "%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
    }
    return String.format(Locale.ROOT, "%d:%02d", seconds / 60, seconds % 60);
  }
}
