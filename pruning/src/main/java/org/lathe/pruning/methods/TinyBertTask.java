package org.lathe.pruning.methods;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import java.util.List;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.models.EncoderModel;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.pruning.distillation.TransformerDistillation;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.slimming.Slimmer;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.loop.EncoderTask;
import org.lathe.training.loop.ExampleInput;
import org.lathe.training.loop.TrainingTask;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ParameterGroup;
import org.lathe.training.optimization.Schedule;
import org.lathe.training.optimization.ScheduleConfig;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * TinyBERT's intermediate stage (Jiao et al. 2020): a slim student learns its teacher's embeddings,
 * hidden states and attention scores on the task's texts. Labels and predictions have no part, so
 * that pooler and head stay as they are; the stage after it teaches the predictions.
 *
 * @param teacher shape of the unpruned encoder
 * @param plan by which the student was made from it
 * @param freezeEmbeddings of the student, see {@link EncoderTask}
 */
public record TinyBertTask(
    EncoderConfig teacher,
    HeadConfig head,
    PruningPlan plan,
    boolean freezeEmbeddings,
    OptimizerConfig optimizer,
    ScheduleConfig schedule,
    double clipNorm)
    implements TrainingTask<ExampleBatch> {

  @Override
  public Built<ExampleBatch> build(Site site) {
    Ops tf = site.tf();
    ExampleInput input = ExampleInput.declare(site, head);
    EncoderConfig slim = teacher.withTransformer(Slimmer.slimConfig(teacher.transformer(), plan));
    EncoderModel student = new EncoderModel(site.catalog(), slim, head);
    EncoderModel fixed =
        new EncoderModel(
            site.catalog(), teacher, head, EncoderPair.TEACHER_PREFIX, VariableGroup.TEACHER);
    TransformerDistillation distillation = new TransformerDistillation(site.catalog(), plan);
    Dropout dropout = Dropout.of(slim.transformer(), site.seed(), site.feeds().step());
    TransformerDistillation.Output terms =
        distillation.call(
            tf,
            input.call(tf, fixed, Gates.NONE, Dropout.NONE).encoded(),
            input.call(tf, student, Gates.NONE, dropout).encoded(),
            tf.dtypes.cast(input.presentBT(), TFloat32.class));
    Operand<TFloat32> loss = terms.sum(tf);
    return new Built<>(
        input,
        loss,
        loss,
        ImmutableMap.of(
            "attentionLoss", terms.attention(),
            "hiddenLoss", terms.hidden(),
            "embeddingLoss", terms.embedding()),
        ImmutableList.of(
            ParameterGroup.of("model", trained(site.catalog()), optimizer, Schedule.of(schedule))),
        clipNorm);
  }

  /** What the loss reaches: the encoder up to its last state, and the projection. */
  private List<Variable> trained(VariableCatalog catalog) {
    return EncoderTask.trained(catalog, head, freezeEmbeddings).stream()
        .filter(
            variable ->
                variable.group() == VariableGroup.AUXILIARY
                    || (variable.name().startsWith(Encoder.PREFIX + "/")
                        && !variable.name().startsWith(Encoder.PREFIX + "/pooler/")))
        .collect(ImmutableList.toImmutableList());
  }
}
