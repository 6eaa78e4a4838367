package org.lathe.cli.workflow;

import java.nio.file.Path;

/** Checks an exported version directory: manifest, checksums, reload, parity, warm-up. */
public record VerifyRequest(Path model) {}
