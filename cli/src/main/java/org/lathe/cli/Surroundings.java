package org.lathe.cli;

import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.workflow.Workflows;
import org.lathe.training.files.Storage;

/**
 * Everything a command touches outside itself, so that a test can run any of them in its own JVM.
 *
 * @param in standard input
 * @param out standard output: outcomes only
 * @param err standard error: notes, progress, complaints
 * @param terminal whether standard error is watched by a person
 * @param storage the disk
 * @param workflows the engines; asked for only when a command has something to do, because they
 *     load TensorFlow
 * @param home the checkout, as the launcher says; null without launcher
 */
public record Surroundings(
    InputStream in,
    PrintStream out,
    PrintStream err,
    boolean terminal,
    Storage storage,
    Supplier<Workflows> workflows,
    @Nullable Path home) {}
