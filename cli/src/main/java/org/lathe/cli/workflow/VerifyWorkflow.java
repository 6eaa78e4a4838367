package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableMap;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.lathe.export.savedmodel.LanguageModelExporter;
import org.lathe.export.verification.ModelVerifier;
import org.lathe.export.verification.VerificationReport;
import org.lathe.training.files.JsonFile;

/** {@code lathe verify}: an exported model as its server will meet it. */
final class VerifyWorkflow {
  /** What the card of an encoder describes. */
  private static final String ENCODER = "encoder";

  private VerifyWorkflow() {}

  static Outcome run(VerifyRequest request, RunContext context) {
    Path directory = ModelVersions.resolve(context.storage(), request.model());
    VerificationReport report = ModelVerifier.verify(context.storage(), directory);
    List<Map<String, String>> checks = new ArrayList<>();
    List<String> lines = new ArrayList<>();
    for (VerificationReport.Check check : report.checks()) {
      checks.add(ImmutableMap.of("name", check.name(), "finding", check.finding()));
      lines.add(check.name() + ": " + check.finding());
    }
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("path", directory.toString());
    facts.put("checks", checks);
    facts.put("maxDifference", report.maxDifference());
    lines.add(directory + " is sound");
    Map<String, Object> signature =
        JsonFile.read(
            context.storage(),
            directory
                .resolve(LanguageModelExporter.EXTRA)
                .resolve(LanguageModelExporter.SIGNATURE));
    lines.add(
        signature.containsKey(ENCODER)
            ? "next: point a TensorFlow Serving at the directory above " + directory
            : "next: lathe predict " + directory + " --prompt TEXT --tokens 20");
    return Outcome.done(facts, lines);
  }
}
