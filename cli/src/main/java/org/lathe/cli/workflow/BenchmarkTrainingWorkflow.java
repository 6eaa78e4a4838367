package org.lathe.cli.workflow;

import com.google.common.collect.ImmutableList;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.lathe.cli.config.RunConfig;
import org.lathe.export.latency.HardwareFile;
import org.lathe.export.latency.Samples;
import org.lathe.training.batching.Batch;
import org.lathe.training.batching.Batches;
import org.lathe.training.batching.RandomBatches;
import org.lathe.training.data.PreparedData;
import org.lathe.training.loop.Trainer;

/**
 * {@code lathe benchmark training}: both models live in one process and take their steps in turns,
 * so that whatever else the machine does meets both.
 */
final class BenchmarkTrainingWorkflow {
  private static final int WARMUP_STEPS = 5;
  private static final double NANOS_PER_MS = 1e6;

  private BenchmarkTrainingWorkflow() {}

  static Outcome run(BenchmarkTrainingRequest request, RunContext context) {
    RunConfig config = request.config();
    RunConfig alternative = request.alternative();
    try (PreparedData data =
            PreparedData.open(context.storage(), Path.of(config.data().directory()));
        Trainer<Batch> first = TrainWorkflow.trainer(config, data);
        Trainer<Batch> second = TrainWorkflow.trainer(alternative, data);
        Progress progress = new Progress(context.console())) {
      if (context.dryRun()) {
        return Outcome.done(
            Map.of(), List.of("would time " + request.steps() + " steps of each in turns"));
      }
      Batches firstBatches = batches(config, data);
      Batches secondBatches = batches(alternative, data);
      double[] firstMs = new double[request.steps()];
      double[] secondMs = new double[request.steps()];
      for (int i = -WARMUP_STEPS; i < request.steps(); i++) {
        double a = timeMs(first, firstBatches);
        double b = timeMs(second, secondBatches);
        if (i >= 0) {
          firstMs[i] = a;
          secondMs[i] = b;
        }
        progress.progress("timing steps", i + WARMUP_STEPS + 1, request.steps() + WARMUP_STEPS);
      }
      return outcome(request, context, new Samples(firstMs), new Samples(secondMs));
    }
  }

  /** How segments were chosen does not change what a step costs. */
  private static Batches batches(RunConfig config, PreparedData data) {
    return new RandomBatches(
        data.train(),
        config.training().batchSize(),
        config.training().segmentLength(),
        config.seed());
  }

  private static double timeMs(Trainer<Batch> trainer, Batches batches) {
    long start = System.nanoTime();
    trainer.advance(batches);
    return (System.nanoTime() - start) / NANOS_PER_MS;
  }

  private static Outcome outcome(
      BenchmarkTrainingRequest request, RunContext context, Samples first, Samples second) {
    double ratio = first.median() / second.median();
    double[] interval = Samples.ratioInterval(first, second);
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("stepMs", first.median());
    facts.put("againstStepMs", second.median());
    facts.put("against", request.against());
    facts.put("ratio", ratio);
    facts.put("ratioLow", interval[0]);
    facts.put("ratioHigh", interval[1]);
    facts.put("tokensPerSecond", request.config().tokensPerStep() / first.median() * 1e3);
    facts.put("steps", request.steps());
    facts.put("hardware", HardwareFile.describe(context.storage(), request.config().threads()));
    return Outcome.done(
        facts,
        ImmutableList.of(
            String.format(
                Locale.ROOT,
                "%.1f ms a step; with %s %.1f ms; ratio %.3f (95 %% interval %.3f to %.3f)",
                first.median(),
                String.join(" ", request.against()),
                second.median(),
                ratio,
                interval[0],
                interval[1])));
  }
}
