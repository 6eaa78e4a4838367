package org.lathe.cli.workflow;

import java.nio.file.Path;
import org.lathe.cli.config.RunConfig;

/**
 * Turns the text that {@code config.data()} names into a vocabulary and token files under {@code
 * out}.
 */
public record PrepareRequest(RunConfig config, Path out) {}
