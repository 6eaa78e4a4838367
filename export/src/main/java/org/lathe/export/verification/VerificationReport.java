package org.lathe.export.verification;

import java.nio.file.Path;
import java.util.List;

/**
 * What was checked and found right; a model that fails a check gives an exception instead.
 *
 * @param checks in the order in which they were made
 * @param maxDifference largest difference to the recorded outputs
 */
public record VerificationReport(Path directory, List<Check> checks, double maxDifference) {

  /**
   * @param name a few words
   * @param finding with its numbers
   */
  public record Check(String name, String finding) {}
}
