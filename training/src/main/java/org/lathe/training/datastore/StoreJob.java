package org.lathe.training.datastore;

import com.google.common.base.Preconditions;

/**
 * A build or add on its way: {@code job.json}. Chunks that are complete lie in the part's directory
 * already; the table lists the part when all are.
 *
 * @param identity of the store
 * @param part number that the new part will have
 * @param source a name for people
 * @param sourceSha256 of tokens and documents
 * @param chunkItems items after which a chunk ends with its run of windows
 * @param numChunks of the whole job
 */
record StoreJob(
    StoreIdentity identity,
    int part,
    String source,
    String sourceSha256,
    int chunkItems,
    int numChunks) {
  StoreJob {
    Preconditions.checkArgument(part > 0, "part (%s) must be positive", part);
    Preconditions.checkArgument(chunkItems > 0, "chunkItems (%s) must be positive", chunkItems);
    Preconditions.checkArgument(numChunks > 0, "numChunks (%s) must be positive", numChunks);
    StoreIdentity.requireSha256("sourceSha256", sourceSha256);
  }
}
