package org.lathe.export.savedmodel;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSortedMap;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.lathe.export.retrieval.RetrievalPlan;
import org.lathe.export.verification.ReferenceScorer;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;

/**
 * What to export and where to.
 *
 * @param config of the model, full or slim
 * @param memory how the model was trained; objective NONE serves a plain softmax, any other one
 *     joins the local memory of each row
 * @param weights exactly the variables of the decoder, by their names, fixed positions included
 * @param baseDirectory the directory that a server watches, models/NAME
 * @param version positive; the directory baseDirectory/version must not exist
 * @param temperature divides the memory scores (TRIME equation 5); tuned on development data
 * @param metadata facts for the signature card and the manifest, such as dataset and perplexity;
 *     keep times and paths out, or the same input gives other bytes
 * @param assets files to copy into assets.extra, by the name they get there
 * @param reference computes the recorded outputs; null = {@link
 *     org.lathe.export.verification.GraphReference} over the weights as they are served, or {@link
 *     org.lathe.export.retrieval.RetrievalReference} with an external memory
 * @param retrieval external memory that the next-token signatures ask, and how; null = none
 * @param precision of the served weights; but for FLOAT32 the reference must be null
 */
public record ExportRequest(
    TransformerConfig config,
    MemoryConfig memory,
    Weights weights,
    Path baseDirectory,
    long version,
    double temperature,
    Map<String, String> metadata,
    Map<String, Path> assets,
    @Nullable ReferenceScorer reference,
    @Nullable RetrievalPlan retrieval,
    WeightPrecision precision) {

  public ExportRequest {
    Preconditions.checkArgument(version > 0, "version (%s) must be positive", version);
    Preconditions.checkArgument(
        temperature > 0 && temperature < Double.POSITIVE_INFINITY,
        "temperature (%s) must be positive",
        temperature);
    precision.requireReference(reference);
    metadata = ImmutableSortedMap.copyOf(metadata);
    assets = Publication.requirePlainNames(assets);
  }

  /** Temperature 1, no metadata, no assets, the default reference, no external memory. */
  public static ExportRequest of(
      TransformerConfig config,
      MemoryConfig memory,
      Weights weights,
      Path baseDirectory,
      long version) {
    return new ExportRequest(
        config,
        memory,
        weights,
        baseDirectory,
        version,
        1,
        ImmutableMap.of(),
        ImmutableMap.of(),
        null,
        null,
        WeightPrecision.FLOAT32);
  }

  public ExportRequest withTemperature(double newTemperature) {
    return with(copy -> copy.temperature = newTemperature);
  }

  public ExportRequest withMetadata(Map<String, String> newMetadata) {
    return with(copy -> copy.metadata = newMetadata);
  }

  public ExportRequest withAssets(Map<String, Path> newAssets) {
    return with(copy -> copy.assets = newAssets);
  }

  public ExportRequest withReference(ReferenceScorer newReference) {
    return with(copy -> copy.reference = newReference);
  }

  public ExportRequest withRetrieval(RetrievalPlan newRetrieval) {
    return with(copy -> copy.retrieval = newRetrieval);
  }

  public ExportRequest withPrecision(WeightPrecision newPrecision) {
    return with(copy -> copy.precision = newPrecision);
  }

  /** The same with other values. */
  ExportRequest withWeights(Weights newWeights) {
    return with(copy -> copy.weights = newWeights);
  }

  private ExportRequest with(Consumer<Copy> change) {
    Copy copy = new Copy(this);
    change.accept(copy);
    return new ExportRequest(
        config,
        memory,
        copy.weights,
        baseDirectory,
        version,
        copy.temperature,
        copy.metadata,
        copy.assets,
        copy.reference,
        copy.retrieval,
        copy.precision);
  }

  /** What the with-methods change. */
  private static final class Copy {
    Weights weights;
    double temperature;
    Map<String, String> metadata;
    Map<String, Path> assets;
    @Nullable ReferenceScorer reference;
    @Nullable RetrievalPlan retrieval;
    WeightPrecision precision;

    Copy(ExportRequest from) {
      weights = from.weights;
      temperature = from.temperature;
      metadata = from.metadata;
      assets = from.assets;
      reference = from.reference;
      retrieval = from.retrieval;
      precision = from.precision;
    }
  }
}
