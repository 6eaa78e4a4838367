package org.lathe.cli.workflow;

/**
 * What the commands can set in motion, one method a command. Commands parse and validate;
 * implementations do the work with the engines of the other modules. They report through the
 * context while they work and through the outcome in the end, throw a LatheException for what went
 * wrong on purpose, and never print or exit.
 */
public interface Workflows {
  Outcome fetch(FetchRequest request, RunContext context);

  Outcome prepare(PrepareRequest request, RunContext context);

  Outcome train(TrainRequest request, RunContext context);

  Outcome evaluate(EvaluateRequest request, RunContext context);

  Outcome prune(PruneRequest request, RunContext context);

  Outcome export(ExportRequest request, RunContext context);

  Outcome verify(VerifyRequest request, RunContext context);

  Outcome predict(PredictRequest request, RunContext context);

  Outcome report(ReportRequest request, RunContext context);

  Outcome benchmarkTraining(BenchmarkTrainingRequest request, RunContext context);

  Outcome datastore(DatastoreRequest request, RunContext context);

  Outcome demo(DemoRequest request, RunContext context);

  Outcome benchmarkSearch(BenchmarkSearchRequest request, RunContext context);

  Outcome benchmarkMemory(BenchmarkMemoryRequest request, RunContext context);

  Outcome benchmarkSublayers(BenchmarkSublayersRequest request, RunContext context);

  Outcome benchmarkLatency(BenchmarkLatencyRequest request, RunContext context);
}
