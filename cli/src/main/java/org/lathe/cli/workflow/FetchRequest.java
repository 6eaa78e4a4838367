package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A checkpoint to fetch.
 *
 * @param coordinates GROUP:ARTIFACT:VERSION of a jar in a Maven repository
 * @param jar the same file, already here; empty = download it
 * @param out directory to make
 * @param maven command that runs Maven
 */
public record FetchRequest(String coordinates, Optional<Path> jar, Path out, String maven) {}
