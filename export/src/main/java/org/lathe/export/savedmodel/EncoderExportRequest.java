package org.lathe.export.savedmodel;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.collect.ImmutableSortedMap;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.lathe.export.format.EncoderFacts;
import org.lathe.export.verification.EncoderReference;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.weights.Weights;

/**
 * Which encoder to export and where to.
 *
 * @param encoder full or slim
 * @param head of a task: a classifier, one class of which is regression, or a span head
 * @param weights exactly the variables of an {@link org.lathe.graphs.models.EncoderModel}, by their
 *     names
 * @param baseDirectory the directory that a server watches, models/NAME
 * @param version positive; the directory baseDirectory/version must not exist
 * @param taskLength tokens of a row at most when the task was learned
 * @param paddingId the tokenizer's, which the signature ids_only takes for padding
 * @param labels names of a classifier's classes in order, or none
 * @param metadata facts for the signature card and the manifest, such as data set and accuracy;
 *     keep times and paths out, or the same input gives other bytes
 * @param assets files to copy into assets.extra, by the name they get there
 * @param reference computes the recorded outputs, by another path than ours (such as the runtime
 *     that a checkpoint comes from); null = {@link
 *     org.lathe.export.verification.EncoderGraphReference} over the weights as they are served
 * @param precision of the served weights; but for FLOAT32 the reference must be null
 */
public record EncoderExportRequest(
    EncoderConfig encoder,
    HeadConfig head,
    Weights weights,
    Path baseDirectory,
    long version,
    int taskLength,
    int paddingId,
    List<String> labels,
    Map<String, String> metadata,
    Map<String, Path> assets,
    @Nullable EncoderReference reference,
    WeightPrecision precision) {

  public EncoderExportRequest {
    Preconditions.checkArgument(version > 0, "version (%s) must be positive", version);
    Preconditions.checkArgument(
        head.kind() != HeadConfig.Kind.MASKED_LM,
        "an encoder is served with a classifier or a span head, not with %s",
        head.kind());
    labels = ImmutableList.copyOf(labels);
    Preconditions.checkArgument(
        labels.isEmpty() || (head.numClasses() > 1 && labels.size() == head.numClasses()),
        "%s labels for a head of kind %s with numClasses %s",
        labels.size(),
        head.kind(),
        head.numClasses());
    metadata = ImmutableSortedMap.copyOf(metadata);
    assets = Publication.requirePlainNames(assets);
    precision.requireReference(reference);
    // checks the length and the padding id too
    factsOf(encoder, taskLength, paddingId, labels);
  }

  /** No labels, metadata or assets; the default reference; a task of rows of any length. */
  public static EncoderExportRequest of(
      EncoderConfig encoder,
      HeadConfig head,
      Weights weights,
      Path baseDirectory,
      long version,
      int paddingId) {
    return new EncoderExportRequest(
        encoder,
        head,
        weights,
        baseDirectory,
        version,
        encoder.maxLength(),
        paddingId,
        ImmutableList.of(),
        ImmutableMap.of(),
        ImmutableMap.of(),
        null,
        WeightPrecision.FLOAT32);
  }

  public EncoderExportRequest withLabels(List<String> newLabels) {
    return with(copy -> copy.labels = newLabels);
  }

  public EncoderExportRequest withTaskLength(int newTaskLength) {
    return with(copy -> copy.taskLength = newTaskLength);
  }

  public EncoderExportRequest withMetadata(Map<String, String> newMetadata) {
    return with(copy -> copy.metadata = newMetadata);
  }

  public EncoderExportRequest withAssets(Map<String, Path> newAssets) {
    return with(copy -> copy.assets = newAssets);
  }

  public EncoderExportRequest withReference(EncoderReference newReference) {
    return with(copy -> copy.reference = newReference);
  }

  public EncoderExportRequest withPrecision(WeightPrecision newPrecision) {
    return with(copy -> copy.precision = newPrecision);
  }

  /** The same with other values. */
  EncoderExportRequest withWeights(Weights newWeights) {
    return with(copy -> copy.weights = newWeights);
  }

  private EncoderExportRequest with(Consumer<Copy> change) {
    Copy copy = new Copy(this);
    change.accept(copy);
    return new EncoderExportRequest(
        encoder,
        head,
        copy.weights,
        baseDirectory,
        version,
        copy.taskLength,
        paddingId,
        copy.labels,
        copy.metadata,
        copy.assets,
        copy.reference,
        copy.precision);
  }

  /** What the with-methods change. */
  private static final class Copy {
    Weights weights;
    int taskLength;
    List<String> labels;
    Map<String, String> metadata;
    Map<String, Path> assets;
    @Nullable EncoderReference reference;
    WeightPrecision precision;

    Copy(EncoderExportRequest from) {
      weights = from.weights;
      taskLength = from.taskLength;
      labels = from.labels;
      metadata = from.metadata;
      assets = from.assets;
      reference = from.reference;
      precision = from.precision;
    }
  }

  EncoderFacts facts() {
    return factsOf(encoder, taskLength, paddingId, labels);
  }

  private static EncoderFacts factsOf(
      EncoderConfig encoder, int taskLength, int paddingId, List<String> labels) {
    return new EncoderFacts(
        encoder.transformer().vocabularySize(), encoder.maxLength(), taskLength, paddingId, labels);
  }
}
