package org.lathe.pruning.methods;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.training.batching.Batch;
import org.lathe.training.loop.TokenInput;
import org.lathe.training.loop.TrainingTask;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ParameterGroup;
import org.lathe.training.optimization.Schedule;
import org.lathe.training.optimization.ScheduleConfig;

/**
 * CoFi's last stage: the sliced model, without gates, goes on learning from text and teacher.
 * Without it several points are lost (reference, section 8).
 *
 * @param slim shape of the sliced model
 * @param teacher shape of the unpruned one
 */
public record FineTuneTask(
    TransformerConfig slim,
    TransformerConfig teacher,
    MemoryConfig memory,
    DistillationConfig distillation,
    OptimizerConfig optimizer,
    ScheduleConfig schedule,
    double clipNorm)
    implements TrainingTask<Batch> {

  @Override
  public Built<Batch> build(Site site) {
    TokenInput input = TokenInput.declare(site);
    TeacherStudent pair = new TeacherStudent(site, slim, teacher, distillation);
    Dropout dropout = Dropout.of(slim, site.seed(), site.feeds().step());
    TeacherStudent.Loss loss = pair.loss(site, input, memory, Gates.NONE, null, dropout);
    return new Built<>(
        input,
        loss.loss(),
        loss.languageModelLoss(),
        ImmutableMap.copyOf(loss.terms()),
        ImmutableList.of(
            ParameterGroup.of(
                "model",
                site.catalog().of(VariableGroup.MODEL, VariableGroup.AUXILIARY),
                optimizer,
                Schedule.of(schedule))),
        clipNorm);
  }
}
