package org.lathe.cli.workflow;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.lathe.graphs.weights.Weights;
import org.lathe.pruning.plan.PruningPlan;
import org.lathe.pruning.plan.PruningPlanFile;
import org.lathe.training.files.LocalStorage;

/**
 * A tiny encoder, hardly fine-tuned, and runs that are pruned from it in a step or two.
 *
 * @param root all files
 * @param config the configuration
 * @param teacher the fine-tuned run
 */
record TinyPruning(Path root, Path config, Path teacher) {
  static final String TOKENS = "encoder/embedding/tokens";

  /** Fine-tunes. */
  static TinyPruning in(Path root) throws IOException {
    TinyEncoder.writePretrained(root.resolve("pretrained"));
    Path config =
        Files.writeString(
            root.resolve("task.yaml"),
            """
            task:
              kind: classification
              pretrained: %1$s/pretrained
              train: [%1$s/train.tsv]
              valid: [%1$s/valid.tsv]
              text: review
              label: verdict
              maxLength: 16
            training:
              batchSize: 8
              steps: 10
              learningRate: 0.005
              warmupSteps: 0
              evaluateEvery: 0
              checkpointEvery: 0
            pruning:
              target: {sparsity: 0.5}
              importanceBatches: 3
              steps: 2
              finetuneSteps: 2
              roundTo: 2
            """
                .formatted(root));
    Files.writeString(root.resolve("train.tsv"), TinyEncoder.table(1, 40));
    Files.writeString(root.resolve("valid.tsv"), TinyEncoder.table(2, 8));
    TinyPruning pruning = new TinyPruning(root, config, root.resolve("teacher"));
    TinyRun.succeed("train", config, "--run", pruning.teacher);
    return pruning;
  }

  /** Another run of the same training with another seed. */
  Path otherTeacher() {
    Path other = root.resolve("other-teacher");
    TinyRun.succeed("train", config, "--run", other, "--seed", 2);
    return other;
  }

  /** Prunes into a new directory. */
  Path prune(String method, String... assignments) {
    Path run = root.resolve("run-" + method + Arrays.hashCode(assignments));
    TinyRun.succeed(command(method, run, assignments));
    return run;
  }

  Object[] command(String method, Path run, String... assignments) {
    return command(teacher, method, run, assignments);
  }

  Object[] command(Path someTeacher, String method, Path run, String... assignments) {
    List<Object> words =
        new ArrayList<>(List.of("prune", config, "--teacher", someTeacher, "--run", run));
    words.addAll(List.of("--set", "pruning.method=" + method));
    for (String assignment : assignments) {
      words.addAll(List.of("--set", assignment));
    }
    return words.toArray();
  }

  static PruningPlan plan(Path run) throws IOException {
    return PruningPlanFile.read(LocalStorage.INSTANCE, run.resolve("plan.json"));
  }

  static EncoderRecord encoder(Path run) {
    return RunDirectory.open(LocalStorage.INSTANCE, run).record().encoder();
  }

  static Weights weights(Path run) {
    return RunDirectory.open(LocalStorage.INSTANCE, run).encoderWeights(encoder(run).head());
  }

  /** Of the token table. */
  static float[] tokens(Path run) {
    return weights(run).get(TOKENS).values();
  }

  /** Mean absolute difference. */
  static double distance(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += Math.abs(a[i] - b[i]);
    }
    return sum / a.length;
  }
}
