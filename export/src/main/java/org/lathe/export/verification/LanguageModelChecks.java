package org.lathe.export.verification;

import java.nio.file.Path;
import java.util.List;
import org.lathe.export.format.SavedModelSummary;
import org.lathe.export.format.SignatureNames;
import org.lathe.export.format.WarmupRequest;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.Storage;

/** Probabilities that sum to 1, the recorded ones, and an external memory's shares of them. */
final class LanguageModelChecks implements ModelChecks {
  /** Beyond this log-probability ratio float32 cannot tell two most likely words apart. */
  private static final double TIE = 2 * ModelVerifier.MAX_DIFFERENCE;

  private final LoadedLanguageModel model;
  private final List<ReferenceCase> cases;
  private final Path source;

  private LanguageModelChecks(LoadedLanguageModel model, List<ReferenceCase> cases, Path source) {
    this.model = model;
    this.cases = cases;
    this.source = source;
  }

  static LanguageModelChecks open(Storage storage, Path directory) {
    List<ReferenceCase> cases = ReferenceFile.read(storage, directory);
    return new LanguageModelChecks(
        LoadedLanguageModel.open(storage, directory), cases, ReferenceJson.path(directory));
  }

  @Override
  public SavedModelSummary summary() {
    return model.summary();
  }

  @Override
  public void replay(WarmupRequest request, String where) {
    float[] values = model.run(request.signature(), request.ids(), request.wide());
    ModelChecks.requireFinite(values, "log-probabilities", where);
    if (request.signature().equals(SignatureNames.SCORE)) {
      return;
    }
    int width = model.vocabularySize();
    for (int row = 0; row < request.batchSize(); row++) {
      double sum = 0;
      for (int w = 0; w < width; w++) {
        sum += Math.exp(values[row * width + w]);
      }
      ModelChecks.requireOne(sum, row, where);
    }
  }

  @Override
  public String replayed() {
    return "probabilities sum to 1";
  }

  /** All prompts in one padded batch. */
  @Override
  public Parity compare() {
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
        if (!(difference <= ModelVerifier.MAX_DIFFERENCE)) {
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
                  + ModelVerifier.MAX_DIFFERENCE
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
    return new Parity(
        cases.size()
            + " recorded prompts, largest difference of a log-probability "
            + maxDifference,
        maxDifference);
  }

  @Override
  public List<VerificationReport.Check> more() {
    return model.retrieves()
        ? List.of(new VerificationReport.Check("retrieval", requireShares()))
        : List.of();
  }

  @Override
  public void close() {
    model.close();
  }

  /** The shares of a prompt's items are part of the memory's, which is part of 1. */
  private String requireShares() {
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
      if (!(items >= 0
          && items <= memory + ModelVerifier.MAX_SUM_ERROR
          && memory <= 1 + ModelVerifier.MAX_SUM_ERROR)) {
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
