package org.lathe.cli.workflow;

import java.nio.file.Path;
import org.lathe.cli.config.RunConfig;

/**
 * Runs the whole path: text, two models, evaluation, pruning, export, report.
 *
 * @param vanilla configuration of the model without memory
 * @param memory the same with memory in the objective
 * @param sources directory of the source jars that are the text
 * @param out where everything is written
 */
public record DemoRequest(RunConfig vanilla, RunConfig memory, Path sources, Path out) {}
