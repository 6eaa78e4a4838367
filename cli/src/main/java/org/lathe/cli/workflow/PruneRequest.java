package org.lathe.cli.workflow;

import java.nio.file.Path;
import org.lathe.cli.config.RunConfig;

/** Prunes the model of the teacher run into a new run, then fine-tunes the slim model. */
public record PruneRequest(RunConfig config, Path run, Path teacher) {}
