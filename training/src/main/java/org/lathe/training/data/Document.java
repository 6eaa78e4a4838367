package org.lathe.training.data;

/**
 * One text that belongs together.
 *
 * @param id where it comes from, unique in its corpus: source name and place inside, no local path
 */
public record Document(String id, String text) {}
