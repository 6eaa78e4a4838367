package org.lathe.pruning.methods;

import com.google.common.collect.ImmutableList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.models.EncoderModel;
import org.lathe.graphs.objectives.MeanSquaredError;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.distillation.LayerDistillation;
import org.lathe.pruning.distillation.PredictionDistillation;
import org.lathe.training.examples.ExampleBatch;
import org.lathe.training.loop.BatchInput;
import org.lathe.training.loop.EncoderTask;
import org.lathe.training.loop.ExampleInput;
import org.lathe.training.loop.TrainingTask;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * A student encoder beside its fine-tuned teacher (CoFi section 3.2): the teacher's predictions,
 * four of its layers, and where asked for the labels. The prediction term of a regression is the
 * squared difference of the numbers, because the divergence of one class is 0; that of spans is the
 * mean of starts and ends. Padding has no part in the layer term.
 */
public final class EncoderPair implements DistillationPair<ExampleBatch> {
  static final String TEACHER_PREFIX = "teacher/";

  private final TrainingTask.Site site;
  private final ExampleInput input;
  private final HeadConfig head;
  private final boolean freezeEmbeddings;
  private final EncoderModel student;
  private final EncoderModel teacher;
  private final LayerDistillation layers;
  private final DistillationConfig config;

  private EncoderPair(
      TrainingTask.Site site,
      EncoderConfig studentConfig,
      EncoderConfig teacherConfig,
      HeadConfig head,
      boolean freezeEmbeddings,
      DistillationConfig config) {
    this.site = site;
    this.head = head;
    this.freezeEmbeddings = freezeEmbeddings;
    this.config = config;
    input = ExampleInput.declare(site, head);
    student = new EncoderModel(site.catalog(), studentConfig, head);
    teacher =
        new EncoderModel(
            site.catalog(), teacherConfig, head, TEACHER_PREFIX, VariableGroup.TEACHER);
    layers =
        new LayerDistillation(
            site.catalog(),
            studentConfig.transformer().hiddenSize(),
            teacherConfig.transformer().hiddenSize(),
            LayerDistillation.fourOf(teacherConfig.transformer().numLayers()),
            config.matching());
  }

  /**
   * @param student shape of the student: the teacher's own while it is gated, a slim one after
   * @param freezeEmbeddings of the student, see {@link EncoderTask}
   */
  public static Factory<ExampleBatch> of(
      EncoderConfig student,
      EncoderConfig teacher,
      HeadConfig head,
      boolean freezeEmbeddings,
      DistillationConfig config) {
    return site -> new EncoderPair(site, student, teacher, head, freezeEmbeddings, config);
  }

  @Override
  public List<Variable> trained() {
    return EncoderTask.trained(site.catalog(), head, freezeEmbeddings);
  }

  /** The weights of a fine-tuned model under the teacher's names. */
  public static Weights teacherWeights(Weights model) {
    Weights renamed = new Weights();
    for (String name : model.names()) {
      Weights.Array array = model.get(name);
      renamed.put(TEACHER_PREFIX + name, array.shape(), array.values());
    }
    return renamed;
  }

  @Override
  public BatchInput<ExampleBatch> input() {
    return input;
  }

  @Override
  public Loss loss(Gates gates, @Nullable Operand<TFloat32> existsL, Dropout dropout) {
    Ops tf = site.tf();
    EncoderModel.Output taught = input.call(tf, teacher, Gates.NONE, Dropout.NONE);
    EncoderModel.Output output = input.call(tf, student, gates, dropout);
    Operand<TFloat32> presentN =
        tf.reshape(tf.dtypes.cast(input.presentBT(), TFloat32.class), tf.constant(new int[] {-1}));
    Map<String, Operand<TFloat32>> terms = new LinkedHashMap<>();
    terms.put("taskLoss", input.loss(tf, output.logits()));
    terms.put("predictionLoss", prediction(tf, output.logits(), taught.logits()));
    terms.put(
        "layerLoss",
        layers
            .call(tf, taught.encoded().hiddenND(), output.encoded().hiddenND(), existsL, presentN)
            .loss());
    return new Loss(config.sum(tf, terms.values()), terms);
  }

  @Override
  public Operand<TFloat32> validationLoss(Gates gates) {
    Ops tf = site.tf();
    return input.loss(tf, input.call(tf, student, gates, Dropout.NONE).logits());
  }

  private Operand<TFloat32> prediction(
      Ops tf, List<Operand<TFloat32>> logits, List<Operand<TFloat32>> taught) {
    if (head.kind().classifies() && head.numClasses() == 1) {
      Operand<TFloat32> targetB =
          tf.reshape(tf.stopGradient(taught.get(0)), tf.constant(new int[] {-1}));
      return MeanSquaredError.mean(tf, logits.get(0), targetB);
    }
    ImmutableList.Builder<Operand<TFloat32>> parts = ImmutableList.builder();
    for (int i = 0; i < logits.size(); i++) {
      parts.add(
          PredictionDistillation.loss(tf, logits.get(i), taught.get(i), config.temperature()));
    }
    return tf.math.mul(tf.math.addN(parts.build()), tf.constant(1f / logits.size()));
  }

  @Override
  public Map<String, Operand<TFloat32>> outputs() {
    Ops tf = site.tf();
    return input.outputs(tf, input.call(tf, student, Gates.NONE, Dropout.NONE).logits());
  }
}
