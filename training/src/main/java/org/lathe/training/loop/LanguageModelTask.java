package org.lathe.training.loop;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import com.google.common.hash.Hashing;
import org.lathe.graphs.config.AdaptiveVocabulary;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.models.DecoderLanguageModel;
import org.lathe.graphs.models.LanguageModelLoss;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.ops.Masks;
import org.lathe.graphs.variables.ScalarFeeds;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.training.batching.Batch;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ParameterGroup;
import org.lathe.training.optimization.Schedule;
import org.lathe.training.optimization.ScheduleConfig;

/**
 * Trains a decoder language model with plain cross-entropy or with TRIME's memory objective.
 *
 * @param warmupSteps first steps with plain cross-entropy; TRIME diverges without them (section 3
 *     of the paper: about 5 % of the updates)
 */
public record LanguageModelTask(
    TransformerConfig model,
    MemoryConfig memory,
    OptimizerConfig optimizer,
    ScheduleConfig schedule,
    double clipNorm,
    long warmupSteps)
    implements TrainingTask<Batch> {

  @Override
  public Built<Batch> build(Site site) {
    TokenInput input = TokenInput.declare(site);
    DecoderLanguageModel decoder = new DecoderLanguageModel(site.catalog(), model);
    LanguageModelLoss.MemorySwitches switches =
        memorySwitches(site.feeds(), memory, warmupSteps, site.seed());
    Dropout dropout = Dropout.of(model, site.seed(), site.feeds().step());
    Dropout softmaxDropout = softmaxDropout(model, site);
    LanguageModelLoss training = loss(site, input, decoder, switches, dropout, softmaxDropout);
    LanguageModelLoss validation =
        dropout == Dropout.NONE && softmaxDropout == Dropout.NONE
            ? training
            : loss(site, input, decoder, switches, Dropout.NONE, Dropout.NONE);
    ParameterGroup group =
        ParameterGroup.of(
            "model", site.catalog().of(VariableGroup.MODEL), optimizer, Schedule.of(schedule));
    return new Built<>(
        input,
        training.meanLoss(),
        validation.meanLoss(),
        ImmutableMap.of(),
        ImmutableList.of(group),
        clipNorm);
  }

  /** Of the model under this dropout. */
  private LanguageModelLoss loss(
      Site site,
      TokenInput input,
      DecoderLanguageModel decoder,
      LanguageModelLoss.MemorySwitches switches,
      Dropout dropout,
      Dropout softmaxDropout) {
    DecoderLanguageModel.Output output =
        decoder.call(site.tf(), input.inputsBT(), Gates.NONE, dropout);
    return loss(site, input, decoder, output, Gates.NONE, softmaxDropout, memory, switches);
  }

  /**
   * The loss of a called model on the batch's text, memory included.
   *
   * @param gates as in the call
   */
  public static LanguageModelLoss loss(
      Site site,
      TokenInput input,
      DecoderLanguageModel decoder,
      DecoderLanguageModel.Output output,
      Gates gates,
      Dropout softmaxDropout,
      MemoryConfig memory,
      LanguageModelLoss.MemorySwitches switches) {
    return LanguageModelLoss.of(
        site.tf(),
        decoder
            .head()
            .target(site.tf(), output.outputND(), input.targetsN(), gates, softmaxDropout),
        output.tapNP(),
        input.targetsN(),
        memory,
        switches,
        site.batchSize(),
        site.segmentLength(),
        decoder.config().tapWidth());
  }

  /** Its own seed: the two kinds of dropout must not share masks. */
  static Dropout softmaxDropout(TransformerConfig model, Site site) {
    AdaptiveVocabulary adaptive = model.adaptive();
    return adaptive == null
        ? Dropout.NONE
        : Dropout.of(adaptive.softmaxDropout(), ~site.seed(), site.feeds().step());
  }

  /**
   * Memory hidden for the first steps, and in EXTERNAL training the own segment hidden in a share
   * dropLocal of the batches, by a coin that depends on seed and step only.
   */
  public static LanguageModelLoss.MemorySwitches memorySwitches(
      ScalarFeeds feeds, MemoryConfig memory, long warmupSteps, int seed) {
    return new LanguageModelLoss.MemorySwitches(
        feeds.scalar("memory/bias", step -> step < warmupSteps ? Masks.HIDDEN : 0),
        feeds.scalar(
            "memory/local_bias", step -> coin(seed, step) < memory.dropLocal() ? Masks.HIDDEN : 0));
  }

  /** Uniform in [0, 1), a function of seed and step. */
  private static double coin(int seed, long step) {
    long bits =
        Hashing.murmur3_128(seed).newHasher().putLong(step).hash().asLong() >>> (Long.SIZE - 53);
    return bits * 0x1.0p-53;
  }
}
