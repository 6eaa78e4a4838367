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
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.distillation.LayerDistillation;
import org.lathe.pruning.distillation.PredictionDistillation;
import org.lathe.training.loop.LanguageModelTask;
import org.lathe.training.loop.TokenInput;
import org.lathe.training.loop.TrainingTask;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * A student decoder beside its teacher in one graph, and the student's loss: the language-model
 * loss on the text, the prediction term and the layerwise term. Serves pruning (gated student) and
 * the fine-tuning of the slim model alike.
 */
final class TeacherStudent {
  /** Prefix of the teacher's variables; the student's are under "decoder". */
  static final String TEACHER_PREFIX = "teacher";

  private final DecoderLanguageModel student;
  private final DecoderLanguageModel teacher;
  private final LayerDistillation layers;
  private final DistillationConfig config;

  /**
   * @param loss weighted sum
   * @param languageModelLoss mean -ln P(y) of the student with its memory, in nats
   * @param terms each unweighted term by name
   */
  record Loss(
      Operand<TFloat32> loss,
      Operand<TFloat32> languageModelLoss,
      Map<String, Operand<TFloat32>> terms) {}

  TeacherStudent(
      TrainingTask.Site site,
      TransformerConfig studentConfig,
      TransformerConfig teacherConfig,
      DistillationConfig config) {
    if (studentConfig.adaptive() != null || teacherConfig.adaptive() != null) {
      throw new ConfigException(
          "a model with an adaptive vocabulary (model.cutoffs) cannot be pruned;"
              + " train one with model.cutoffs=[]");
    }
    this.config = config;
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

  /** The weights of a trained model under the teacher's names. */
  static Weights teacherWeights(Weights model) {
    Weights renamed = new Weights();
    for (String name : model.names()) {
      Weights.Array array = model.get(name);
      renamed.put(
          TEACHER_PREFIX + name.substring(name.indexOf('/')), array.shape(), array.values());
    }
    return renamed;
  }

  /**
   * @param gates of the student
   * @param existsL 1 where a layer of the student still exists, or null for all
   */
  Loss loss(
      TrainingTask.Site site,
      TokenInput input,
      MemoryConfig memory,
      Gates gates,
      @Nullable Operand<TFloat32> existsL,
      Dropout dropout) {
    Ops tf = site.tf();
    DecoderLanguageModel.Output taught =
        teacher.call(tf, input.inputsBT(), Gates.NONE, Dropout.NONE);
    DecoderLanguageModel.Output output = student.call(tf, input.inputsBT(), gates, dropout);
    Operand<TFloat32> logits = student.logits(tf, output.outputND(), gates);
    Operand<TFloat32> languageModel =
        LanguageModelLoss.of(
                tf,
                student.head().target(tf, output.outputND(), input.targetsN(), gates, Dropout.NONE),
                output.tapNP(),
                input.targetsN(),
                memory,
                LanguageModelTask.memorySwitches(site.feeds(), memory, 0, site.seed()),
                site.batchSize(),
                site.segmentLength(),
                student.config().tapWidth())
            .meanLoss();
    Operand<TFloat32> prediction =
        PredictionDistillation.loss(
            tf,
            logits,
            tf.stopGradient(teacher.logits(tf, taught.outputND(), Gates.NONE)),
            config.temperature());
    Operand<TFloat32> layerwise =
        layers.call(tf, taught.hiddenND(), output.hiddenND(), existsL).loss();
    Map<String, Operand<TFloat32>> terms = new LinkedHashMap<>();
    terms.put("languageModelLoss", languageModel);
    terms.put("predictionLoss", prediction);
    terms.put("layerLoss", layerwise);
    Operand<TFloat32> sum =
        tf.math.addN(
            List.of(
                scaled(tf, languageModel, config.taskWeight()),
                scaled(tf, prediction, config.predictionWeight()),
                scaled(tf, layerwise, config.layerWeight())));
    return new Loss(sum, languageModel, terms);
  }

  private static Operand<TFloat32> scaled(Ops tf, Operand<TFloat32> x, double weight) {
    return tf.math.mul(x, tf.constant((float) weight));
  }
}
