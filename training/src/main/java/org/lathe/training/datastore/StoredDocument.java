package org.lathe.training.datastore;

/**
 * A document of a store.
 *
 * @param number what {@link MemoryItems#document} gives; stable until the store is compacted
 * @param name as in its corpus
 * @param source what was built or added when it came
 * @param live false once removed
 * @param firstItem the item of its first token; -1 when it is removed
 * @param numItems that it has or had: one less than tokens, since the last token predicts nothing
 *     of its own document
 * @param firstPosition position of its first token in the source
 */
public record StoredDocument(
    int number,
    String name,
    String source,
    boolean live,
    int firstItem,
    int numItems,
    long firstPosition) {}
