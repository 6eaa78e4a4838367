package org.lathe.training.loop;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.List;
import java.util.Map;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.RecurrenceConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.models.LanguageModelLoss;
import org.lathe.graphs.models.RecurrentLanguageModel;
import org.lathe.graphs.models.RecurrentState;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.training.batching.Batch;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ParameterGroup;
import org.lathe.training.optimization.Schedule;
import org.lathe.training.optimization.ScheduleConfig;
import org.tensorflow.Operand;
import org.tensorflow.op.Op;
import org.tensorflow.types.TFloat32;

/**
 * Trains a Transformer-XL or Compressive Transformer on batches whose rows continue each other
 * ({@code batching.StreamBatches}). The memory of the B rows is part of the checkpoint. Validation
 * has a memory of its own, which every first batch that continues nothing finds empty.
 *
 * <p>Where compression is learned, the loss is that of the language model plus {@code lossWeight}
 * times the attention-reconstruction loss, which trains the compressors and nothing else; the
 * metric {@code reconstruction} is the latter alone.
 *
 * @param memory TRIME's objective on top: none, or local memory within the segment
 * @param warmupSteps first steps with plain cross-entropy
 */
public record RecurrentTask(
    TransformerConfig model,
    RecurrenceConfig recurrence,
    MemoryConfig memory,
    OptimizerConfig optimizer,
    ScheduleConfig schedule,
    double clipNorm,
    long warmupSteps)
    implements TrainingTask<Batch> {

  /** One pass over a batch: its loss, and what keeps the memory for the next. */
  private record Pass(Operand<TFloat32> loss, Operand<TFloat32> reconstruction, List<Op> updates) {}

  /**
   * @throws ConfigException when the memory objective needs segments of other rows, or the segments
   *     do not fit the memory
   */
  @Override
  public Built<Batch> build(Site site) {
    if (memory.objective() != MemoryConfig.MemoryObjective.NONE
        && memory.objective() != MemoryConfig.MemoryObjective.LOCAL) {
      throw new ConfigException(
          "a recurrent model trains with memory.objective none or local, not "
              + memory.objective()
              + ": the rows of its batches are different texts");
    }
    recurrence.requireSegmentLength(site.segmentLength());
    TokenInput input = TokenInput.declare(site);
    RecurrentLanguageModel network = new RecurrentLanguageModel(site.catalog(), model, recurrence);
    LanguageModelLoss.MemorySwitches switches =
        LanguageModelTask.memorySwitches(site.feeds(), memory, warmupSteps, site.seed());
    Pass training =
        pass(
            site,
            input,
            network,
            switches,
            state(site, "recurrence", VariableGroup.STATE),
            Dropout.of(model, site.seed(), site.feeds().step()),
            LanguageModelTask.softmaxDropout(model, site));
    Pass validation =
        pass(
            site,
            input,
            network,
            switches,
            state(site, "validation", VariableGroup.SCRATCH),
            Dropout.NONE,
            Dropout.NONE);
    ParameterGroup group =
        ParameterGroup.of(
            "model", site.catalog().of(VariableGroup.MODEL), optimizer, Schedule.of(schedule));
    return new Built<>(
        input,
        minimized(site, training),
        validation.loss(),
        metrics(training),
        ImmutableList.of(group),
        clipNorm,
        training.updates(),
        validation.updates(),
        ImmutableMap.of());
  }

  private RecurrentState state(Site site, String name, VariableGroup group) {
    return new RecurrentState(site.catalog(), name, model, recurrence, site.batchSize(), group);
  }

  private Pass pass(
      Site site,
      TokenInput input,
      RecurrentLanguageModel network,
      LanguageModelLoss.MemorySwitches switches,
      RecurrentState state,
      Dropout dropout,
      Dropout softmaxDropout) {
    RecurrentLanguageModel.Output output =
        network.call(
            site.tf(), input.inputsBT(), state.memory(site.tf(), input.continues()), dropout);
    LanguageModelLoss loss =
        LanguageModelLoss.of(
            site.tf(),
            network
                .head()
                .target(site.tf(), output.outputND(), input.targetsN(), Gates.NONE, softmaxDropout),
            output.tapND(),
            input.targetsN(),
            memory,
            switches,
            site.batchSize(),
            site.segmentLength(),
            model.hiddenSize());
    return new Pass(
        loss.meanLoss(), output.reconstructionLoss(), state.keep(site.tf(), output.next()));
  }

  private Operand<TFloat32> minimized(Site site, Pass training) {
    if (!recurrence.compression().learned()) {
      return training.loss();
    }
    Operand<TFloat32> weight = site.tf().constant((float) recurrence.compression().lossWeight());
    return site.tf()
        .math
        .add(training.loss(), site.tf().math.mul(weight, training.reconstruction()));
  }

  private Map<String, Operand<TFloat32>> metrics(Pass training) {
    return recurrence.compression().learned()
        ? ImmutableMap.of("reconstruction", training.reconstruction())
        : ImmutableMap.of();
  }
}
