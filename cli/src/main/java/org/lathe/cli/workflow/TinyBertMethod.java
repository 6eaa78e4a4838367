package org.lathe.cli.workflow;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.cli.config.PruningSection;
import org.lathe.cli.config.TrainingSection;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.methods.DistillationConfig;
import org.lathe.pruning.methods.TinyBertTask;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.plan.UniformShape;
import org.lathe.training.files.Storage;
import org.tensorflow.ndarray.Shape;

/**
 * TinyBERT's two stages of task distillation (Jiao et al. 2020): a student of a small uniform shape
 * learns its teacher's inner states, with checkpoints in RUN/pruning, then its predictions. The
 * shape depends on the target alone and the student starts as a cut-out of its teacher.
 *
 * <p>General distillation, from which the published student starts, is the first stage alone, of a
 * teacher that guesses hidden words of plain text; {@code pruning.studentFrom} then takes shape and
 * weights from that run, and there is no target to follow.
 */
final class TinyBertMethod implements StructureMethod {
  private static final String STUDENT_KEY = EncoderSource.STUDENT_KEY;

  @Override
  public boolean followsTarget(PruningSection settings) {
    return settings.studentFrom().isBlank();
  }

  @Override
  public void requirePossible(PruningSection settings, RunDirectory teacher, Storage storage) {
    if (!settings.studentFrom().isBlank()) {
      studentPlan(settings, teacher, storage);
      Path path = Path.of(settings.studentFrom());
      EncoderSource.requireSameTokens(
          path, RunDirectory.open(storage, path).tokenizerJson(), teacher);
    }
  }

  private static PruningPlan studentPlan(
      PruningSection settings, RunDirectory teacher, Storage storage) {
    return ReferencePlan.read(STUDENT_KEY, Path.of(settings.studentFrom()), teacher, storage);
  }

  @Override
  public Choice choose(TaskPruneSite site) {
    PruningSection settings = site.settings();
    if (!settings.studentFrom().isBlank()) {
      return new Choice(
          studentPlan(settings, site.teacher(), site.context().storage()), site.teacherWeights());
    }
    UniformShape shape =
        UniformShape.meeting(
            site.target(), site.blocks(), settings.studentLayers(), settings.roundTo());
    return new Choice(PruningPlan.from(site.blocks(), shape.gates()), site.teacherWeights());
  }

  @Override
  public @Nullable Weights teach(TaskPruneSite site, PruningPlan plan, Weights slim) {
    PruningSection settings = site.settings();
    TrainingSection training = site.config().training();
    TinyBertTask intermediate =
        new TinyBertTask(
            site.full(),
            site.head(),
            plan,
            site.task().freezeEmbeddings(),
            TaskConfigs.optimizer(training, settings.learningRate()),
            TaskConfigs.schedule(
                training, PruneFacts.warmupSteps(settings.steps()), settings.steps()),
            training.clipNorm());
    Weights learned =
        site.learn(intermediate, settings.studentFrom().isBlank() ? slim : student(site, slim));
    if (learned == null) {
      return null;
    }
    Weights taught = new Weights();
    for (String name : slim.names()) {
      Weights.Array array = learned.get(name);
      taught.put(name, array.shape(), array.values());
    }
    return taught;
  }

  /** The cut-out with the encoder of {@code pruning.studentFrom} in place of its own. */
  private static Weights student(TaskPruneSite site, Weights slim) {
    Path path = Path.of(site.settings().studentFrom());
    Weights student = EncoderSource.read(STUDENT_KEY, path, site.context().storage()).weights();
    Map<String, Shape> expected = new LinkedHashMap<>();
    Weights own = slim.startingWith(Encoder.PREFIX + "/");
    own.names().forEach(name -> expected.put(name, own.get(name).shape()));
    student.requireExactly(expected, "the student of " + path);
    return new Weights().putAll(slim).putAll(student);
  }

  /** The prediction loss alone, at the configured temperature (published: 1). */
  @Override
  public DistillationConfig distillation(PruningSection settings) {
    return TaskConfigs.distillation(settings.distillation(), 0, 1, 0);
  }
}
