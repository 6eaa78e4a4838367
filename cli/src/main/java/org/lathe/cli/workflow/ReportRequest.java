package org.lathe.cli.workflow;

import java.nio.file.Path;

/** Writes report.html of a run. */
public record ReportRequest(Path run) {}
