package org.lathe.training.datastore;

/**
 * What a build or add will make.
 *
 * @param numItems keys to store
 * @param numDocuments that they come from
 * @param numChunks segments, after each of which an interrupted build continues
 * @param chunksDone of these, by an interrupted build
 * @param numEncodedPositions that the model has to read, context included
 * @param sizeBytes of the new files on disk
 * @param freeBytes on the disk
 */
public record BuildEstimate(
    long numItems,
    int numDocuments,
    int numChunks,
    int chunksDone,
    long numEncodedPositions,
    long sizeBytes,
    long freeBytes) {}
