package org.lathe.training.loop;

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
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.optimization.OptimizerConfig;
import org.lathe.training.optimization.ParameterGroup;
import org.lathe.training.optimization.Schedule;
import org.lathe.training.optimization.ScheduleConfig;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * Fine-tunes an encoder with a head on labelled examples: classes, numbers or spans.
 *
 * @param freezeEmbeddings token, position and type tables and their norm stay as they are (CoFi's
 *     code does so)
 */
public record EncoderTask(
    EncoderConfig encoder,
    HeadConfig head,
    boolean freezeEmbeddings,
    OptimizerConfig optimizer,
    ScheduleConfig schedule,
    double clipNorm)
    implements TrainingTask<ExampleBatch> {
  private static final String EMBEDDINGS = Encoder.PREFIX + "/embedding/";
  private static final String POOLER = Encoder.PREFIX + "/pooler/";

  @Override
  public Built<ExampleBatch> build(Site site) {
    Ops tf = site.tf();
    ExampleInput input = ExampleInput.declare(site, head);
    EncoderModel model = new EncoderModel(site.catalog(), encoder, head);
    Dropout dropout = Dropout.of(encoder.transformer(), site.seed(), site.feeds().step());
    List<Operand<TFloat32>> noisy = input.call(tf, model, Gates.NONE, dropout).logits();
    List<Operand<TFloat32>> logits =
        dropout == Dropout.NONE ? noisy : input.call(tf, model, Gates.NONE, Dropout.NONE).logits();
    return new Built<>(
        input,
        input.loss(tf, noisy),
        input.loss(tf, logits),
        ImmutableMap.of(),
        ImmutableList.of(
            ParameterGroup.of(
                "model",
                trained(site.catalog(), head, freezeEmbeddings),
                optimizer,
                Schedule.of(schedule))),
        clipNorm,
        ImmutableList.of(),
        ImmutableList.of(),
        input.outputs(tf, logits));
  }

  /**
   * What is updated: the model and what is trained beside it. A pooler that the head does not read
   * stays as it is, for a task that will.
   */
  public static List<Variable> trained(
      VariableCatalog catalog, HeadConfig head, boolean freezeEmbeddings) {
    boolean freezePooler = head.kind() != HeadConfig.Kind.POOLED_CLASSIFIER;
    return catalog.of(VariableGroup.MODEL, VariableGroup.AUXILIARY).stream()
        .filter(variable -> !(freezeEmbeddings && variable.name().startsWith(EMBEDDINGS)))
        .filter(variable -> !(freezePooler && variable.name().startsWith(POOLER)))
        .collect(ImmutableList.toImmutableList());
  }
}
