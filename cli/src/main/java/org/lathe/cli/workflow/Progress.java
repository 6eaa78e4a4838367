package org.lathe.cli.workflow;

import org.jspecify.annotations.Nullable;
import org.lathe.cli.progress.Console;
import org.lathe.cli.progress.ProgressLine;
import org.lathe.training.data.ProgressListener;

/** Shows an engine's progress reports as one line after the other, a line a label. */
final class Progress implements ProgressListener, AutoCloseable {
  private final Console console;
  private @Nullable ProgressLine line;
  private String label = "";
  private long lineTotal;
  private long lastDone;

  Progress(Console console) {
    this.console = console;
  }

  @Override
  public void progress(String what, long done, long total) {
    if (total <= 0) {
      return;
    }
    // less than before: the same work on something else
    if (line == null || !what.equals(label) || total != lineTotal || done < lastDone) {
      close();
      label = what;
      lineTotal = total;
      line = console.progress(what, total);
    }
    lastDone = done;
    line.update(done);
  }

  @Override
  public void close() {
    if (line != null) {
      line.close();
      line = null;
    }
  }
}
