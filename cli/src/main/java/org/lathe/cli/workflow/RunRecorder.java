package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import java.util.function.LongSupplier;
import org.lathe.cli.progress.ProgressLine;
import org.lathe.training.files.Storage;
import org.lathe.training.loop.TrainingListener;
import org.lathe.training.telemetry.EventFileWriter;
import org.lathe.training.telemetry.MetricsWriter;

/**
 * Shows a loop's progress and writes it to RUN/metrics.jsonl and TensorBoard events. A resumed run
 * continues both files.
 */
final class RunRecorder implements TrainingListener, AutoCloseable {
  /** Steps between lines of training metrics; validation and checkpoints are never thinned. */
  private static final long STEPS_PER_LINE = 10;

  private final MetricsWriter metrics;
  private final EventFileWriter events;
  private final ProgressLine progress;
  private final LongSupplier nanoClock;
  private final long startNanos;

  /**
   * @param firstStep step at which the loop starts or resumes
   */
  RunRecorder(Storage storage, Path directory, long firstStep, ProgressLine progress) {
    this.metrics = MetricsWriter.resume(storage, directory.resolve("metrics.jsonl"), firstStep);
    this.events = new EventFileWriter(storage, directory, firstStep + 1, InstantSource.system());
    this.progress = progress;
    this.nanoClock = System::nanoTime;
    this.startNanos = nanoClock.getAsLong();
  }

  @Override
  public void onStep(long step, long steps, Map<String, Double> values, double tokensPerSecond) {
    progress.update(step, values.getOrDefault("loss", Double.NaN), tokensPerSecond);
    if (step % STEPS_PER_LINE == 0 || step == steps) {
      values.forEach((name, value) -> write(step, "train", name, value));
      write(step, "train", "tokensPerSecond", tokensPerSecond);
    }
  }

  @Override
  public void onValidation(long step, String name, double value) {
    write(step, "valid", name, value);
  }

  @Override
  public void onCheckpoint(long step) {
    events.flush();
  }

  private void write(long step, String split, String name, double value) {
    double seconds = (nanoClock.getAsLong() - startNanos) * 1e-9;
    metrics.write(step, split, name, value, seconds);
    events.scalar(step, split + "/" + name, value);
  }

  @Override
  public void close() {
    progress.close();
    events.close();
    metrics.close();
  }
}
