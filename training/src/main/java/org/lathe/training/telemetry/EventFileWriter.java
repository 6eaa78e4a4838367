package org.lathe.training.telemetry;

import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.Storage;
import org.tensorflow.proto.Event;
import org.tensorflow.proto.SessionLog;
import org.tensorflow.proto.Summary;

/**
 * Scalars for TensorBoard: a TFRecord file of Event messages named {@code
 * events.out.tfevents.SECONDS.lathe}. Each start of a run writes a file of its own; TensorBoard
 * joins the files of a directory.
 */
public final class EventFileWriter implements AutoCloseable {
  private final InstantSource clock;
  private final TfRecordWriter records;

  /**
   * @param firstStep the first step that this process computes; TensorBoard drops what an earlier
   *     file says about it and later ones
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  public EventFileWriter(Storage storage, Path directory, long firstStep, InstantSource clock) {
    this.clock = clock;
    IoGuard.run(storage, "create", directory, () -> storage.createDirectories(directory));
    long seconds = clock.instant().getEpochSecond();
    while (storage.exists(file(directory, seconds))) {
      seconds++;
    }
    records = new TfRecordWriter(storage, file(directory, seconds));
    // TensorBoard's mark of the format; heeds restarts from version 2 on
    write(event().setFileVersion("brain.Event:2"));
    write(
        event()
            .setStep(firstStep)
            .setSessionLog(SessionLog.newBuilder().setStatus(SessionLog.SessionStatus.START)));
  }

  /**
   * Adds a value.
   *
   * @param tag "train/loss" for instance; TensorBoard groups by the part before the slash
   */
  public void scalar(long step, String tag, double value) {
    write(
        event()
            .setStep(step)
            .setSummary(
                Summary.newBuilder()
                    .addValue(
                        Summary.Value.newBuilder().setTag(tag).setSimpleValue((float) value))));
  }

  /** Hands everything to the operating system, so that a running TensorBoard sees it. */
  public void flush() {
    records.flush();
  }

  @Override
  public void close() {
    records.close();
  }

  private Event.Builder event() {
    Instant now = clock.instant();
    return Event.newBuilder().setWallTime(now.getEpochSecond() + now.getNano() * 1e-9);
  }

  private void write(Event.Builder event) {
    records.write(event.build().toByteArray());
  }

  private static Path file(Path directory, long seconds) {
    return directory.resolve("events.out.tfevents." + seconds + ".lathe");
  }
}
