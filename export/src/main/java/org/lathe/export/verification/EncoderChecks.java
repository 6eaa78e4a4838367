package org.lathe.export.verification;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.lathe.export.format.EncoderSignatures;
import org.lathe.export.format.SavedModelSummary;
import org.lathe.export.format.SignatureNames;
import org.lathe.export.format.WarmupRequest;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.Storage;

/** Finite outputs, probabilities that sum to 1, and the recorded outputs by every signature. */
final class EncoderChecks implements ModelChecks {
  private final LoadedEncoder model;
  private final List<EncoderCase> cases;
  private final Path file;

  private EncoderChecks(LoadedEncoder model, List<EncoderCase> cases, Path file) {
    this.model = model;
    this.cases = cases;
    this.file = file;
  }

  static EncoderChecks open(Storage storage, Path directory) {
    List<EncoderCase> cases = EncoderReferenceFile.read(storage, directory);
    return new EncoderChecks(
        LoadedEncoder.open(storage, directory), cases, ReferenceJson.path(directory));
  }

  @Override
  public SavedModelSummary summary() {
    return model.summary();
  }

  @Override
  public void replay(WarmupRequest request, String source) {
    model
        .run(request.signature(), request.inputs())
        .forEach(
            (name, values) -> {
              ModelChecks.requireFinite(values, name, source);
              if (name.equals(EncoderSignatures.PROBABILITIES)) {
                requireSums(values, model.width(name, request.length()), source);
              }
            });
  }

  private static void requireSums(float[] values, int width, String source) {
    for (int row = 0; row < values.length / width; row++) {
      double sum = 0;
      for (int c = 0; c < width; c++) {
        sum += values[row * width + c];
      }
      ModelChecks.requireOne(sum, row, source);
    }
  }

  @Override
  public String replayed() {
    return "outputs finite";
  }

  /** All sequences in one padded batch by each signature that can be told them. */
  @Override
  public Parity compare() {
    double maxDifference =
        Math.max(
            compare(EncoderSignatures.SERVING, cases),
            compare(EncoderSignatures.SERVING_INT64, cases));
    List<EncoderCase> idsOnly =
        cases.stream().filter(each -> each.saidByIdsAlone(model.facts().paddingId())).toList();
    if (!idsOnly.isEmpty()) {
      maxDifference = Math.max(maxDifference, compare(EncoderSignatures.IDS_ONLY, idsOnly));
    }
    return new Parity(
        cases.size()
            + " recorded sequences, "
            + idsOnly.size()
            + " of them by ids alone, largest difference of an output "
            + maxDifference,
        maxDifference);
  }

  private double compare(String signature, List<EncoderCase> compared) {
    Map<String, int[][]> inputs =
        model.padded(
            compared.stream().map(EncoderCase::ids).toArray(int[][]::new),
            compared.stream().map(EncoderCase::types).toArray(int[][]::new));
    int[][] ids = inputs.getOrDefault(SignatureNames.INPUT, new int[0][]);
    Map<String, float[]> found =
        model.run(
            signature,
            signature.equals(EncoderSignatures.IDS_ONLY)
                ? Map.of(SignatureNames.INPUT, ids)
                : inputs);
    double maxDifference = 0;
    for (int i = 0; i < compared.size(); i++) {
      EncoderCase expected = compared.get(i);
      if (!expected.outputs().keySet().equals(found.keySet())) {
        throw new CorruptFileException(
            file
                + " records "
                + expected.outputs().keySet()
                + ", but the model gives "
                + found.keySet()
                + ". Copy the directory again or export the model again.");
      }
      for (Map.Entry<String, float[]> output : found.entrySet()) {
        String where = file + ", case " + i + ", " + signature + ", " + output.getKey();
        float[] recorded = expected.outputs().getOrDefault(output.getKey(), new float[0]);
        int stride = model.width(output.getKey(), ids[i].length);
        int width = model.width(output.getKey(), expected.ids().length);
        maxDifference =
            Math.max(
                maxDifference, difference(output.getValue(), i * stride, recorded, width, where));
      }
    }
    return maxDifference;
  }

  /** Largest difference of a row to the recorded values. */
  private static double difference(
      float[] found, int offset, float[] recorded, int width, String where) {
    if (recorded.length != width) {
      throw new CorruptFileException(
          where
              + ": "
              + recorded.length
              + " values are recorded; expected "
              + width
              + ". Copy the directory again or export the model again.");
    }
    double maxDifference = 0;
    for (int k = 0; k < width; k++) {
      double difference = Math.abs((double) found[offset + k] - recorded[k]);
      // written so that NaN fails too
      if (!(difference <= ModelVerifier.MAX_DIFFERENCE)) {
        throw new FailedException(
            where
                + ", value "
                + k
                + ": the model answers "
                + found[offset + k]
                + ", recorded was "
                + recorded[k]
                + "; allowed is a difference of "
                + ModelVerifier.MAX_DIFFERENCE
                + ". Do not serve it; export it again.");
      }
      maxDifference = Math.max(maxDifference, difference);
    }
    return maxDifference;
  }

  @Override
  public List<VerificationReport.Check> more() {
    return List.of();
  }

  @Override
  public void close() {
    model.close();
  }
}
