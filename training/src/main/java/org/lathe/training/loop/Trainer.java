package org.lathe.training.loop;

import com.google.common.base.Stopwatch;
import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.DivergedException;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.graphs.variables.ScalarFeeds;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.batching.StepBatches;
import org.lathe.training.checkpoint.CheckpointStore;
import org.lathe.training.optimization.UpdateOps;
import org.lathe.training.weights.WeightTransfer;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Session;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * The training loop: feeds batches, updates, watches for divergence, validates, checkpoints, stops
 * politely. Everything that a step depends on is either a variable (in the checkpoint) or a
 * function of the step number, so a resumed run repeats a straight one bit for bit on the same
 * machine and number of threads.
 *
 * @param <B> the batches of its task
 */
public final class Trainer<B> implements AutoCloseable {
  private static final VariableGroup[] CONTINUED = {
    VariableGroup.FROZEN, VariableGroup.AUXILIARY, VariableGroup.GATE, VariableGroup.MULTIPLIER
  };

  private final LoopConfig config;
  private final Graph graph = new Graph();
  private final Session session;
  private final VariableCatalog catalog;
  private final ScalarFeeds feeds;
  private final TrainingTask.Built<B> built;
  private final UpdateOps update;
  private final WeightTransfer state;
  private final WeightTransfer teacher;
  private long step;

  /** How a call of {@link #run} ended. */
  public enum Ending {
    DONE,
    /** Asked to stop; a checkpoint of the last step was written. */
    STOPPED
  }

  public Trainer(TrainingTask<B> task, LoopConfig config) {
    this.config = config;
    Ops tf = Ops.create(graph);
    catalog = new VariableCatalog(tf, config.seed());
    feeds = new ScalarFeeds(tf);
    built =
        task.build(
            new TrainingTask.Site(
                tf, catalog, feeds, config.batchSize(), config.segmentLength(), config.seed()));
    update =
        UpdateOps.build(
            tf,
            graph,
            catalog,
            feeds,
            built.loss(),
            built.groups(),
            built.clipNorm(),
            config.accumulationSteps());
    state = new WeightTransfer(tf, checkpointed());
    teacher = new WeightTransfer(tf, catalog.of(VariableGroup.TEACHER));
    session = Sessions.open(graph, config.threads());
    state.initialize(session);
    List<Variable> scratch = catalog.of(VariableGroup.SCRATCH);
    if (!scratch.isEmpty()) {
      new WeightTransfer(tf, scratch).initialize(session);
    }
  }

  /** Number of updates done. */
  public long step() {
    return step;
  }

  public VariableCatalog catalog() {
    return catalog;
  }

  /** Number of trained values of the model. */
  public long numParameters() {
    return catalog.of(VariableGroup.MODEL).stream().mapToLong(Variable::size).sum();
  }

  /** Everything a checkpoint holds: all variables but a teacher's and those of validation. */
  private List<Variable> checkpointed() {
    return catalog.all().stream()
        .filter(v -> v.group() != VariableGroup.TEACHER && v.group() != VariableGroup.SCRATCH)
        .collect(ImmutableList.toImmutableList());
  }

  /** The model's weights, trained and fixed, as an exporter or a later stage wants them. */
  public Weights modelWeights() {
    Weights all = state.fetch(session);
    Weights model = new Weights();
    for (Variable v : catalog.of(VariableGroup.MODEL, VariableGroup.FROZEN)) {
      model.put(v.name(), v.shape(), all.get(v.name()).values());
    }
    return model;
  }

  /** All checkpointed variables. */
  public Weights stateWeights() {
    return state.fetch(session);
  }

  /** The logits of the pruning gates. */
  public Weights gateLogits() {
    Weights all = state.fetch(session);
    Weights logits = new Weights();
    for (Variable v : catalog.of(VariableGroup.GATE)) {
      logits.put(v.name(), v.shape(), all.get(v.name()).values());
    }
    return logits;
  }

  /** Starts the model from these weights (exactly its MODEL and FROZEN variables). */
  public void startFrom(Weights modelWeights, String source) {
    start(modelWeights, source, VariableGroup.MODEL, VariableGroup.FROZEN);
  }

  /** Starts the training helpers from these weights (exactly the AUXILIARY variables). */
  public void startAuxiliary(Weights weights, String source) {
    start(weights, source, VariableGroup.AUXILIARY);
  }

  /** Starts the pruning gates from these logits (exactly the GATE variables). */
  public void startGates(Weights logits, String source) {
    start(logits, source, VariableGroup.GATE);
  }

  /**
   * Starts model, helpers, gates and multipliers as another training left them, not its optimizer.
   *
   * @param state of a task with the same variables; others in it are left out
   */
  public void startFromState(Weights state, String source) {
    Weights wanted = new Weights();
    for (Variable v : catalog.of(VariableGroup.MODEL, CONTINUED)) {
      if (state.contains(v.name())) {
        wanted.put(v.name(), state.get(v.name()).shape(), state.get(v.name()).values());
      }
    }
    start(wanted, source, VariableGroup.MODEL, CONTINUED);
  }

  private void start(
      Weights weights, String source, VariableGroup group, VariableGroup... moreGroups) {
    Map<String, Shape> expected = new LinkedHashMap<>();
    for (Variable v : catalog.of(group, moreGroups)) {
      expected.put(v.name(), v.shape());
    }
    weights.requireExactly(expected, source);
    Weights all = state.fetch(session);
    for (String name : weights.names()) {
      Weights.Array array = weights.get(name);
      all.put(name, array.shape(), array.values());
    }
    state.assign(session, all, source);
  }

  /** Gives the teacher its weights; names carry the teacher's prefix. */
  public void setTeacher(Weights weights, String source) {
    teacher.assign(session, weights, source);
  }

  /**
   * Continues from the newest valid checkpoint, if there is one.
   *
   * @param configHash of the configuration that must have made it
   * @throws GraphMismatchException when the checkpoint is of another configuration
   */
  public boolean resume(CheckpointStore store, String configHash) {
    Optional<CheckpointStore.Checkpoint> latest = store.latest();
    if (latest.isEmpty()) {
      return false;
    }
    CheckpointStore.Checkpoint checkpoint = latest.get();
    if (!checkpoint.configHash().equals(configHash)) {
      throw new GraphMismatchException(
          checkpoint.directory()
              + " was made with another configuration or other data (hash "
              + checkpoint.configHash()
              + ", this one is "
              + configHash
              + "). Use the run's own configuration or another run directory.");
    }
    state.assign(session, store.read(checkpoint), checkpoint.directory().toString());
    step = checkpoint.step();
    return true;
  }

  /**
   * Trains until the configured number of steps; where that is 0, what the model starts from is
   * validated and saved.
   *
   * @param validation null = no validation
   * @param store null = no checkpoints
   * @param stopRequested asked after every step
   * @throws DivergedException when a loss, a gradient or a variable to be saved is not finite;
   *     checkpoints stay as they are
   */
  public Ending run(
      StepBatches<B> training,
      @Nullable Validation<B> validation,
      @Nullable CheckpointStore store,
      String configHash,
      TrainingListener listener,
      BooleanSupplier stopRequested) {
    if (config.steps() == 0 && (store == null || store.latest().isEmpty())) {
      validate(validation, listener);
      save(store, configHash, listener);
    }
    Stopwatch watch = Stopwatch.createStarted();
    long tokensPerStep =
        (long) config.batchSize() * config.segmentLength() * config.accumulationSteps();
    while (step < config.steps()) {
      watch.reset().start();
      Map<String, Double> values = advance(training);
      double seconds = watch.elapsed(TimeUnit.NANOSECONDS) * 1e-9;
      listener.onStep(step, config.steps(), values, tokensPerStep / Math.max(seconds, 1e-9));
      boolean last = step == config.steps();
      boolean stop = stopRequested.getAsBoolean();
      boolean due = config.evaluateEvery() > 0 && step % config.evaluateEvery() == 0;
      if (due || last) { // of a stop too: the resumed run would not come by here again
        validate(validation, listener);
      }
      boolean saves = config.checkpointEvery() > 0 && step % config.checkpointEvery() == 0;
      if (last || stop || saves) {
        save(store, configHash, listener);
      }
      if (stop && !last) {
        return Ending.STOPPED;
      }
    }
    return Ending.DONE;
  }

  private void validate(@Nullable Validation<B> validation, TrainingListener listener) {
    if (validation != null) {
      validation.measure(this).forEach((name, value) -> listener.onValidation(step, name, value));
    }
  }

  private void save(@Nullable CheckpointStore store, String configHash, TrainingListener listener) {
    if (store != null) {
      Weights reached = state.fetch(session);
      DivergenceGuard.check(step, reached);
      store.save(step, reached, Map.of("steps", config.steps()), configHash);
      listener.onCheckpoint(step);
    }
  }

  /** One update: accumulation micro-batches, then the step; returns loss, norm and metrics. */
  public Map<String, Double> advance(StepBatches<B> batches) {
    int numMicroSteps = config.accumulationSteps();
    double lossSum = 0;
    for (int i = 0; i < numMicroSteps - 1; i++) {
      long microStep = step * numMicroSteps + i;
      lossSum +=
          run(
              batches.at(microStep),
              microStep,
              targets(update.accumulate()),
              List.of(built.loss()))[0];
    }
    long microStep = (step + 1) * numMicroSteps - 1;
    List<Operand<TFloat32>> fetches = new ArrayList<>();
    fetches.add(built.loss());
    fetches.add(update.gradientNorm());
    fetches.addAll(built.metrics().values());
    double[] fetched = run(batches.at(microStep), microStep, targets(update.apply()), fetches);
    Map<String, Double> values = new LinkedHashMap<>();
    values.put("loss", (lossSum + fetched[0]) / numMicroSteps);
    values.put("gradientNorm", fetched[1]);
    int index = 2;
    for (String name : built.metrics().keySet()) {
      values.put(name, fetched[index++]);
    }
    step++;
    DivergenceGuard.check(step, values);
    return values;
  }

  /** This update, and what the task keeps for the next micro-step. */
  private List<Op> targets(@Nullable Op updateOp) {
    ImmutableList.Builder<Op> ops = ImmutableList.builder();
    if (updateOp != null) {
      ops.add(updateOp);
    }
    return ops.addAll(built.stateUpdates()).build();
  }

  /**
   * Mean validation loss over these batches, in nats a token. Batches that continue each other are
   * given in order, the first of them with {@code continues} false.
   */
  public double validationLoss(List<B> batches) {
    double sum = 0;
    for (B batch : batches) {
      sum +=
          run(
              batch,
              step * config.accumulationSteps(),
              built.validationUpdates(),
              List.of(built.validationLoss()))[0];
    }
    return sum / batches.size();
  }

  /**
   * The task's outputs for a batch by name, row-major, as validation sees the model; empty for
   * tasks without.
   */
  public Map<String, float[]> outputs(B batch) {
    List<Operand<TFloat32>> fetches = ImmutableList.copyOf(built.outputs().values());
    List<float[]> fetched = fetch(batch, step * config.accumulationSteps(), List.of(), fetches);
    Map<String, float[]> values = new LinkedHashMap<>();
    int index = 0;
    for (String name : built.outputs().keySet()) {
      values.put(name, fetched.get(index++));
    }
    return values;
  }

  /** Scalars. */
  private double[] run(
      B batch, long microStep, List<Op> targetOps, List<Operand<TFloat32>> fetches) {
    return fetch(batch, microStep, targetOps, fetches).stream()
        .mapToDouble(value -> value[0])
        .toArray();
  }

  private List<float[]> fetch(
      B batch, long microStep, List<Op> targetOps, List<Operand<TFloat32>> fetches) {
    try (SessionCall call = new SessionCall(session)) {
      built.input().feed(batch, call);
      call.feed(feeds.step(), TInt32.scalarOf((int) microStep));
      for (ScalarFeeds.Feed scalar : feeds.all().values()) {
        double value = scalar.valueAtStep().applyAsDouble(step);
        call.feed(scalar.placeholder(), TFloat32.scalarOf((float) value));
      }
      call.target(targetOps);
      return call.fetch(fetches);
    }
  }

  @Override
  public void close() {
    session.close();
    graph.close();
  }
}
