package org.lathe.cli.workflow;

import java.nio.file.Path;
import org.lathe.cli.config.RunConfig;

/** Trains into the run directory, or resumes what lies there. */
public record TrainRequest(RunConfig config, Path run) {}
