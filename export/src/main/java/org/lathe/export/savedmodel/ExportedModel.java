package org.lathe.export.savedmodel;

import java.nio.file.Path;

/**
 * A published SavedModel.
 *
 * @param directory baseDirectory/version
 * @param numVariables arrays of the model in it
 * @param numParameters values in all of them
 * @param memoryBytes of an external memory's arrays; 0 without one
 * @param sizeBytes of all its files but the manifest
 * @param maxDifference largest difference of an output (of a language model a log-probability) to
 *     the reference, measured with the published graph before it was published
 * @param roundingDifference the same between the reference with the weights as they are served and
 *     with the weights as they were trained; 0 for float32
 */
public record ExportedModel(
    Path directory,
    long version,
    int numVariables,
    long numParameters,
    long memoryBytes,
    long sizeBytes,
    double maxDifference,
    double roundingDifference) {}
