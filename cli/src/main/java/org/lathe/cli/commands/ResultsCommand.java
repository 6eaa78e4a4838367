package org.lathe.cli.commands;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.lathe.cli.Surroundings;
import org.lathe.cli.results.ResultsTable;
import org.lathe.cli.workflow.Outcome;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
    name = "results",
    hidden = true,
    description = "Compare the tables of docs/results.md with docs/results/results.jsonl.",
    footer = {"", "Example:", "  lathe results --write"})
final class ResultsCommand extends BaseCommand {
  @Option(names = "--write", description = "Regenerate the tables.")
  private boolean write;

  ResultsCommand(Surroundings surroundings) {
    super(surroundings);
  }

  @Override
  Outcome perform() {
    Path home = surroundings.home() == null ? Path.of(".") : surroundings.home();
    ResultsTable table = ResultsTable.read(surroundings.storage(), home.resolve("docs"));
    boolean agree = table.agrees();
    if (write && !agree) {
      table.write();
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("rows", table.numRows());
    facts.put("agree", agree);
    facts.put("written", write && !agree);
    String line =
        agree
            ? "docs/results.md agrees with results.jsonl"
            : write
                ? "docs/results.md regenerated"
                : "docs/results.md differs from results.jsonl; run 'lathe results --write'";
    return new Outcome(agree || write ? 0 : 1, facts, List.of(line));
  }
}
