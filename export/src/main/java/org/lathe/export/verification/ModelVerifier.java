package org.lathe.export.verification;

import com.google.common.collect.ImmutableList;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.lathe.export.format.SavedModelSummary;
import org.lathe.export.format.SignatureNames;
import org.lathe.export.format.WarmupFile;
import org.lathe.export.format.WarmupRequest;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.Manifest;
import org.lathe.training.files.Storage;

/**
 * Checks an exported language model as its server will meet it: files, graph, loading, warm-up, and
 * the same answers as the model that was trained.
 */
public final class ModelVerifier {
  /** The manifest's kind of SavedModel directories. */
  public static final String MANIFEST_KIND = "saved-model";

  /** Largest allowed difference of a log-probability to the recorded one (promise N2). */
  public static final double MAX_DIFFERENCE = 1e-4;

  /** Largest allowed difference of the probabilities' sum to 1. */
  public static final double MAX_SUM_ERROR = 1e-4;

  /** Beyond this log-probability ratio float32 cannot tell two most likely words apart. */
  private static final double TIE = 2 * MAX_DIFFERENCE;

  private ModelVerifier() {}

  /**
   * Everything: manifest with checksums, then {@link #verifyContents}.
   *
   * @param versionDirectory models/NAME/VERSION
   * @throws CorruptFileException when a file is missing or damaged
   * @throws FailedException when an op is not allowed or an answer differs
   */
  public static VerificationReport verify(Storage storage, Path versionDirectory) {
    Manifest manifest = Manifest.verified(storage, versionDirectory, MANIFEST_KIND);
    VerificationReport contents = verifyContents(storage, versionDirectory);
    long sizeBytes = manifest.files().stream().mapToLong(Manifest.Entry::sizeBytes).sum();
    return new VerificationReport(
        versionDirectory,
        ImmutableList.<VerificationReport.Check>builder()
            .add(
                new VerificationReport.Check(
                    "manifest",
                    manifest.files().size() + " files, " + sizeBytes + " bytes, checksums match"))
            .addAll(contents.checks())
            .build(),
        contents.maxLogProbabilityDifference());
  }

  /** Everything but the manifest, for a directory that is not committed yet. */
  public static VerificationReport verifyContents(Storage storage, Path directory) {
    List<ReferenceCase> cases = ReferenceFile.read(storage, directory);
    Path warmupFile = directory.resolve(WarmupFile.PATH);
    List<WarmupRequest> requests = WarmupFile.read(storage, warmupFile);
    if (requests.isEmpty()) {
      throw new CorruptFileException(
          warmupFile + " holds no record; expected at least one. Export the model again.");
    }
    List<VerificationReport.Check> checks = new ArrayList<>();
    try (LoadedLanguageModel model = LoadedLanguageModel.open(storage, directory)) {
      SavedModelSummary summary = model.summary();
      checks.add(
          new VerificationReport.Check(
              "graph",
              "signatures "
                  + String.join(", ", summary.signatures().keySet())
                  + "; "
                  + summary.numNodesByOp().size()
                  + " kinds of ops, all allowed"));
      checks.add(
          new VerificationReport.Check(
              "variables",
              summary.variables().size() + " with " + summary.numParameters() + " values, loaded"));
      for (int i = 0; i < requests.size(); i++) {
        replay(model, requests.get(i), warmupFile + ", record " + i);
      }
      checks.add(
          new VerificationReport.Check(
              "warm-up", requests.size() + " records replayed, probabilities sum to 1"));
      double maxDifference = compare(model, cases, directory.resolve(ReferenceFile.PATH));
      checks.add(
          new VerificationReport.Check(
              "parity",
              cases.size()
                  + " recorded prompts, largest difference of a log-probability "
                  + maxDifference));
      if (model.retrieves()) {
        checks.add(new VerificationReport.Check("retrieval", requireShares(model, cases)));
      }
      return new VerificationReport(directory, ImmutableList.copyOf(checks), maxDifference);
    }
  }

  private static void replay(LoadedLanguageModel model, WarmupRequest request, String source) {
    if (!model.summary().signatures().containsKey(request.signature())) {
      throw new CorruptFileException(
          source + " calls the signature '" + request.signature() + "', which the graph lacks.");
    }
    float[] values = model.run(request.signature(), request.ids(), request.wide());
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw new FailedException(
            source + ": the model answered " + value + "; expected finite log-probabilities.");
      }
    }
    if (request.signature().equals(SignatureNames.SCORE)) {
      return;
    }
    int width = model.vocabularySize();
    for (int row = 0; row < request.batchSize(); row++) {
      double sum = 0;
      for (int w = 0; w < width; w++) {
        sum += Math.exp(values[row * width + w]);
      }
      if (Math.abs(sum - 1) > MAX_SUM_ERROR) {
        throw new FailedException(
            source
                + ", row "
                + row
                + ": the probabilities sum to "
                + sum
                + "; expected 1 within "
                + MAX_SUM_ERROR
                + ".");
      }
    }
  }

  /** All prompts in one padded batch; returns the largest difference. */
  private static double compare(LoadedLanguageModel model, List<ReferenceCase> cases, Path source) {
    int[][] prompts = cases.stream().map(ReferenceCase::prompt).toArray(int[][]::new);
    float[] found = model.nextLogProbabilities(prompts);
    int width = model.vocabularySize();
    double maxDifference = 0;
    for (int i = 0; i < prompts.length; i++) {
      ReferenceCase expected = cases.get(i);
      int offset = i * width;
      for (int k = 0; k < expected.words().length; k++) {
        int word = requireWord(expected.words()[k], width, source);
        double difference =
            Math.abs((double) found[offset + word] - expected.logProbabilities()[k]);
        // written so that NaN fails too
        if (!(difference <= MAX_DIFFERENCE)) {
          throw new FailedException(
              source
                  + ", case "
                  + i
                  + ", word "
                  + word
                  + ": the model answers ln P = "
                  + found[offset + word]
                  + ", recorded was "
                  + expected.logProbabilities()[k]
                  + "; allowed is a difference of "
                  + MAX_DIFFERENCE
                  + ". Do not serve it; export it again.");
        }
        maxDifference = Math.max(maxDifference, difference);
      }
      int best = ReferenceCase.mostLikely(found, offset, width);
      int recorded = requireWord(expected.mostLikely(), width, source);
      if (best != recorded && found[offset + best] - found[offset + recorded] > TIE) {
        throw new FailedException(
            source
                + ", case "
                + i
                + ": the most likely word is "
                + best
                + ", recorded was "
                + recorded
                + ". Do not serve it; export it again.");
      }
    }
    return maxDifference;
  }

  /** The shares of a prompt's items are part of the memory's, which is part of 1. */
  private static String requireShares(LoadedLanguageModel model, List<ReferenceCase> cases) {
    int[][] prompts = cases.stream().map(ReferenceCase::prompt).toArray(int[][]::new);
    LoadedLanguageModel.Retrieved retrieved = model.retrieve(prompts);
    int numNeighbors = retrieved.numNeighbors();
    double mean = 0;
    for (int i = 0; i < prompts.length; i++) {
      double memory = retrieved.memoryShares()[i];
      double items = 0;
      for (int k = 0; k < numNeighbors; k++) {
        items += retrieved.shares()[i * numNeighbors + k];
      }
      // written so that NaN fails too
      if (!(items >= 0 && items <= memory + MAX_SUM_ERROR && memory <= 1 + MAX_SUM_ERROR)) {
        throw new FailedException(
            "case "
                + i
                + ": retrieved items have the share "
                + items
                + " and all of memory "
                + memory
                + "; expected 0 <= items <= memory <= 1. Do not serve it; export it again.");
      }
      mean += items / prompts.length;
    }
    return numNeighbors + " items a prompt, mean share of the probability " + mean;
  }

  private static int requireWord(int word, int vocabularySize, Path source) {
    if (word >= vocabularySize) {
      throw new CorruptFileException(
          source + ": word " + word + " lies outside the vocabulary of " + vocabularySize + ".");
    }
    return word;
  }
}
