package org.lathe.cli.workflow;

/** The workflows on the engines of this build; one class behind each method. */
public final class EngineWorkflows implements Workflows {

  @Override
  public Outcome fetch(FetchRequest request, RunContext context) {
    return FetchWorkflow.run(request, context);
  }

  @Override
  public Outcome prepare(PrepareRequest request, RunContext context) {
    return PrepareWorkflow.run(request, context);
  }

  @Override
  public Outcome train(TrainRequest request, RunContext context) {
    return request.config().task().usesEncoder()
        ? TaskTrainWorkflow.run(request, context)
        : TrainWorkflow.run(request, context);
  }

  @Override
  public Outcome evaluate(EvaluateRequest request, RunContext context) {
    return EvaluateWorkflow.run(request, context);
  }

  @Override
  public Outcome prune(PruneRequest request, RunContext context) {
    return PruneWorkflow.run(request, context);
  }

  @Override
  public Outcome export(ExportRequest request, RunContext context) {
    return ExportWorkflow.run(request, context);
  }

  @Override
  public Outcome verify(VerifyRequest request, RunContext context) {
    return VerifyWorkflow.run(request, context);
  }

  @Override
  public Outcome predict(PredictRequest request, RunContext context) {
    return PredictWorkflow.run(request, context);
  }

  @Override
  public Outcome report(ReportRequest request, RunContext context) {
    return ReportWorkflow.run(request, context);
  }

  @Override
  public Outcome benchmarkTraining(BenchmarkTrainingRequest request, RunContext context) {
    return BenchmarkTrainingWorkflow.run(request, context);
  }

  @Override
  public Outcome datastore(DatastoreRequest request, RunContext context) {
    return DatastoreWorkflow.run(request, context);
  }

  @Override
  public Outcome demo(DemoRequest request, RunContext context) {
    return DemoWorkflow.run(request, context);
  }

  @Override
  public Outcome benchmarkSearch(BenchmarkSearchRequest request, RunContext context) {
    return BenchmarkSearchWorkflow.run(request, context);
  }

  @Override
  public Outcome benchmarkMemory(BenchmarkMemoryRequest request, RunContext context) {
    return BenchmarkMemoryWorkflow.run(request, context);
  }

  @Override
  public Outcome benchmarkSublayers(BenchmarkSublayersRequest request, RunContext context) {
    return BenchmarkSublayersWorkflow.run(request, context);
  }

  @Override
  public Outcome benchmarkLatency(BenchmarkLatencyRequest request, RunContext context) {
    return BenchmarkLatencyWorkflow.run(request, context);
  }
}
