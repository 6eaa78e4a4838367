package org.lathe.cli.workflow;

import java.util.List;
import org.lathe.cli.config.RunConfig;

/**
 * Times training steps of two configurations in turns.
 *
 * @param against what the alternative changes, as typed
 * @param steps timed steps of each
 */
public record BenchmarkTrainingRequest(
    RunConfig config, RunConfig alternative, List<String> against, int steps) {}
