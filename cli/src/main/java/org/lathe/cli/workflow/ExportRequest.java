package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import org.lathe.cli.config.Overrides;
import org.lathe.export.savedmodel.WeightPrecision;

/**
 * Publishes the model of a run as {@code out/VERSION}, or as {@code out} for Hugging Face.
 *
 * @param run a training or pruning run
 * @param out directory of the model, parent of its versions
 * @param version version to publish; empty = one more than the highest there
 * @param format of what is published; {@code version}, {@code store} and {@code precision} belong
 *     to a SavedModel
 * @param store directory of an external memory to export with the model; else none
 * @param precision of the matrices in the served model
 * @param overrides changes to the run's configuration
 */
public record ExportRequest(
    Path run,
    Path out,
    OptionalLong version,
    ExportFormat format,
    Optional<Path> store,
    WeightPrecision precision,
    Overrides overrides) {}
