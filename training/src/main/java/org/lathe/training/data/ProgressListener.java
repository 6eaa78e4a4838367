package org.lathe.training.data;

/** Hears how far a long piece of work is. */
@FunctionalInterface
public interface ProgressListener {
  /** Hears nothing. */
  ProgressListener NONE = (what, done, total) -> {};

  /**
   * One step on.
   *
   * @param what the work in two or three words, such as "reading text"
   * @param done units done
   * @param total units in all; 0 = not known
   */
  void progress(String what, long done, long total);
}
