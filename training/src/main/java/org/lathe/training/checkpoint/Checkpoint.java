package org.lathe.training.checkpoint;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A committed checkpoint whose files were found intact.
 *
 * @param step number of optimizer updates done
 * @param state what the trainer stored beside the weights; whole numbers are Long, others Double
 * @param configHash of the configuration that made it
 */
public record Checkpoint(long step, Path directory, Map<String, Object> state, String configHash) {
  public Checkpoint {
    state = Collections.unmodifiableMap(new LinkedHashMap<>(state));
  }
}
