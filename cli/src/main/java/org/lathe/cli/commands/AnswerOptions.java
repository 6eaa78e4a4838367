package org.lathe.cli.commands;

import picocli.CommandLine.Option;

/** How a command answers; every command has these. */
final class AnswerOptions {
  @Option(
      names = "--json",
      description = "Print one JSON object on standard output, everything else on standard error.")
  boolean json;

  @Option(names = "--verbose", description = "Show stack traces and informational log lines.")
  boolean verbose;

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Show this help.")
  boolean help;
}
