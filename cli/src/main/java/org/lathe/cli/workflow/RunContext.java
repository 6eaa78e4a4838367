package org.lathe.cli.workflow;

import org.lathe.cli.progress.Console;
import org.lathe.training.files.Storage;

/**
 * What a workflow gets from its surroundings.
 *
 * @param storage the disk
 * @param console where notes and progress go (standard error)
 * @param dryRun build and check everything, print names, shapes and estimates, change nothing
 */
public record RunContext(Storage storage, Console console, boolean dryRun) {}
