package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.lathe.cli.config.Overrides;

/**
 * Continues each prompt.
 *
 * @param modelOrRun a version directory of an exported model, or a run
 * @param prompts at least one, none empty
 * @param numTokens tokens to add to each
 * @param store directory of an external memory of the run
 * @param numExplained memory items shown for every added token; 0 = explain nothing
 * @param overrides changes to the run's configuration
 */
public record PredictRequest(
    Path modelOrRun,
    List<String> prompts,
    int numTokens,
    Optional<Path> store,
    int numExplained,
    Overrides overrides) {
  public PredictRequest {
    prompts = List.copyOf(prompts);
  }
}
