package org.lathe.pruning.methods;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.models.DecoderLanguageModel;
import org.lathe.graphs.models.LanguageModelLoss;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.distillation.LayerDistillation;
import org.lathe.pruning.distillation.PredictionDistillation;
import org.lathe.training.batching.Batch;
import org.lathe.training.loop.BatchInput;
import org.lathe.training.loop.LanguageModelTask;
import org.lathe.training.loop.TokenInput;
import org.lathe.training.loop.TrainingTask;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * A student decoder beside its teacher: the language-model loss on the text, with the memory that
 * the model was trained with, the prediction term and the layerwise term.
 */
public final class DecoderPair implements DistillationPair<Batch> {
  /** Prefix of the teacher's variables; the student's are under "decoder". */
  static final String TEACHER_PREFIX = "teacher";

  private final TrainingTask.Site site;
  private final TokenInput input;
  private final DecoderLanguageModel student;
  private final DecoderLanguageModel teacher;
  private final LayerDistillation layers;
  private final MemoryConfig memory;
  private final LanguageModelLoss.MemorySwitches switches;
  private final DistillationConfig config;

  private DecoderPair(
      TrainingTask.Site site,
      TransformerConfig studentConfig,
      TransformerConfig teacherConfig,
      MemoryConfig memory,
      DistillationConfig config) {
    if (studentConfig.adaptive() != null || teacherConfig.adaptive() != null) {
      throw new ConfigException(
          "a model with an adaptive vocabulary (model.cutoffs) cannot be pruned;"
              + " train one with model.cutoffs=[]");
    }
    this.site = site;
    this.memory = memory;
    this.config = config;
    input = TokenInput.declare(site);
    switches = LanguageModelTask.memorySwitches(site.feeds(), memory, 0, site.seed());
    student = new DecoderLanguageModel(site.catalog(), studentConfig);
    teacher =
        new DecoderLanguageModel(
            site.catalog(), teacherConfig, TEACHER_PREFIX, VariableGroup.TEACHER);
    List<Integer> teacherLayers = IntStream.range(0, teacherConfig.numLayers()).boxed().toList();
    layers =
        new LayerDistillation(
            site.catalog(),
            studentConfig.hiddenSize(),
            teacherConfig.hiddenSize(),
            teacherLayers,
            config.matching());
  }

  /**
   * @param student shape of the student: the teacher's own while it is gated, a slim one after
   * @param memory the objective that the model was trained with
   */
  public static Factory<Batch> of(
      TransformerConfig student,
      TransformerConfig teacher,
      MemoryConfig memory,
      DistillationConfig config) {
    return site -> new DecoderPair(site, student, teacher, memory, config);
  }

  @Override
  public BatchInput<Batch> input() {
    return input;
  }

  @Override
  public List<Variable> trained() {
    return site.catalog().of(VariableGroup.MODEL, VariableGroup.AUXILIARY);
  }

  /** The weights of a trained model under the teacher's names. */
  public static Weights teacherWeights(Weights model) {
    Weights renamed = new Weights();
    for (String name : model.names()) {
      Weights.Array array = model.get(name);
      renamed.put(
          TEACHER_PREFIX + name.substring(name.indexOf('/')), array.shape(), array.values());
    }
    return renamed;
  }

  @Override
  public Loss loss(Gates gates, @Nullable Operand<TFloat32> existsL, Dropout dropout) {
    Ops tf = site.tf();
    DecoderLanguageModel.Output taught =
        teacher.call(tf, input.inputsBT(), Gates.NONE, Dropout.NONE);
    DecoderLanguageModel.Output output = student.call(tf, input.inputsBT(), gates, dropout);
    Operand<TFloat32> logits = student.logits(tf, output.outputND(), gates);
    Operand<TFloat32> prediction =
        PredictionDistillation.loss(
            tf,
            logits,
            tf.stopGradient(teacher.logits(tf, taught.outputND(), Gates.NONE)),
            config.temperature());
    Operand<TFloat32> layerwise =
        layers.call(tf, taught.hiddenND(), output.hiddenND(), existsL, null).loss();
    Map<String, Operand<TFloat32>> terms = new LinkedHashMap<>();
    terms.put("languageModelLoss", languageModelLoss(output, gates));
    terms.put("predictionLoss", prediction);
    terms.put("layerLoss", layerwise);
    return new Loss(config.sum(tf, terms.values()), terms);
  }

  @Override
  public Operand<TFloat32> validationLoss(Gates gates) {
    return languageModelLoss(student.call(site.tf(), input.inputsBT(), gates, Dropout.NONE), gates);
  }

  private Operand<TFloat32> languageModelLoss(DecoderLanguageModel.Output output, Gates gates) {
    return LanguageModelTask.loss(
            site, input, student, output, gates, Dropout.NONE, memory, switches)
        .meanLoss();
  }
}
