package org.lathe.export.savedmodel;

import java.nio.file.Path;

/**
 * A published SavedModel.
 *
 * @param directory baseDirectory/version
 * @param numVariables arrays in it
 * @param numParameters values in all of them
 * @param sizeBytes of all its files but the manifest
 * @param maxDifference largest difference of a log-probability to the reference, measured with the
 *     published graph before it was published
 */
public record ExportedModel(
    Path directory,
    long version,
    int numVariables,
    long numParameters,
    long sizeBytes,
    double maxDifference) {}
