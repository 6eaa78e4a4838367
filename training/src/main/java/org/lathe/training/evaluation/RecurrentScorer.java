package org.lathe.training.evaluation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.lathe.graphs.config.RecurrenceConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.layers.VocabularyHead;
import org.lathe.graphs.models.RecurrentLanguageModel;
import org.lathe.graphs.models.RecurrentState;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.data.ProgressListener;
import org.lathe.training.loop.Sessions;
import org.lathe.training.weights.WeightTransfer;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Op;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Runs a trained recurrent model through a text, segment by segment, with the memory of the
 * segments before. Each text starts with an empty memory; no position is encoded twice.
 */
public final class RecurrentScorer implements TextScorer {
  private final Graph graph = new Graph();
  private final Session session;
  private final RecurrenceConfig recurrence;
  private final Placeholder<TInt32> inputsBT;
  private final Placeholder<TInt32> targetsN;
  private final Placeholder<TFloat32> continues;
  private final Operand<TFloat32> vocabularyMass;
  private final Operand<TFloat32> targetLogits;
  private final Operand<TFloat32> largestLogits;
  private final Operand<TFloat32> tap;
  private final List<Op> updates;
  private final int width;

  /**
   * @param recurrence with the memory lengths of the test, which may differ from the training's
   * @param weights the model's variables
   * @param source of the weights, for messages
   * @param threads 0 = all cores
   */
  public RecurrentScorer(
      TransformerConfig config,
      RecurrenceConfig recurrence,
      Weights weights,
      String source,
      int threads) {
    this.recurrence = recurrence;
    width = config.hiddenSize();
    Ops tf = Ops.create(graph);
    VariableCatalog catalog = new VariableCatalog(tf, 0);
    RecurrentLanguageModel model = new RecurrentLanguageModel(catalog, config, recurrence);
    RecurrentState state =
        new RecurrentState(catalog, "recurrence", config, recurrence, 1, VariableGroup.STATE);
    inputsBT = tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(1, -1)));
    targetsN = tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(-1)));
    continues = tf.placeholder(TFloat32.class, Placeholder.shape(Shape.scalar()));
    RecurrentLanguageModel.Output output =
        model.call(tf, inputsBT, state.memory(tf, continues), Dropout.NONE);
    VocabularyHead.Target target =
        model.head().target(tf, output.outputND(), targetsN, Gates.NONE, Dropout.NONE);
    vocabularyMass = target.massN();
    targetLogits = target.logitsN();
    largestLogits = tf.reduceMax(target.headNH(), tf.constant(-1));
    tap = output.tapND();
    updates = state.keep(tf, output.next());
    session = Sessions.open(graph, threads);
    new WeightTransfer(tf, catalog.of(VariableGroup.STATE)).initialize(session);
    new WeightTransfer(tf, catalog.of(VariableGroup.MODEL, VariableGroup.FROZEN))
        .assign(session, weights, source);
  }

  /**
   * Scores a text in consecutive segments of {@code protocol.stride()} tokens; the window is the
   * memory's business here.
   *
   * @throws org.lathe.graphs.errors.ConfigException when such segments do not fit the memory
   */
  @Override
  public ScoredText score(int[] tokens, SlidingWindows protocol, ProgressListener progress) {
    recurrence.requireSegmentLength(protocol.stride());
    int numPositions = tokens.length - 1;
    List<SlidingWindows.Window> windows = protocol.segments(numPositions);
    double[] mass = new double[numPositions];
    double[] logits = new double[numPositions];
    double[] confidence = new double[numPositions];
    List<float[]> taps = new ArrayList<>();
    for (SlidingWindows.Window window : windows) {
      // nothing remembers the last segment, which may be too short to be compressed
      boolean keeps = window.end() < numPositions;
      taps.add(run(tokens, window, keeps, mass, logits, confidence));
      progress.progress("scoring", window.end(), numPositions);
    }
    return new ScoredText(
        Arrays.copyOfRange(tokens, 1, tokens.length),
        mass,
        logits,
        confidence,
        windows,
        taps,
        width);
  }

  private float[] run(
      int[] tokens,
      SlidingWindows.Window segment,
      boolean keeps,
      double[] mass,
      double[] logits,
      double[] confidence) {
    int begin = segment.begin();
    int length = segment.end() - begin;
    int[] inputs = Arrays.copyOfRange(tokens, begin, begin + length);
    int[] targets = Arrays.copyOfRange(tokens, begin + 1, begin + 1 + length);
    float[] massN = new float[length];
    float[] logitsN = new float[length];
    float[] largestN = new float[length];
    float[] tapND = new float[length * width];
    try (Tensor fedInputs =
            TInt32.tensorOf(Shape.of(1, length), DataBuffers.of(inputs, true, false));
        Tensor fedTargets =
            TInt32.tensorOf(Shape.of(length), DataBuffers.of(targets, true, false));
        Tensor fedContinues = TFloat32.scalarOf(begin == 0 ? 0 : 1)) {
      Session.Runner runner =
          session
              .runner()
              .feed(inputsBT, fedInputs)
              .feed(targetsN, fedTargets)
              .feed(continues, fedContinues)
              .fetch(vocabularyMass)
              .fetch(targetLogits)
              .fetch(largestLogits)
              .fetch(tap);
      if (keeps) {
        updates.forEach(op -> runner.addTarget(op.op()));
      }
      try (Result result = runner.run()) {
        read(result.get(0), massN);
        read(result.get(1), logitsN);
        read(result.get(2), largestN);
        read(result.get(3), tapND);
      }
    }
    for (int i = 0; i < length; i++) {
      mass[begin + i] = massN[i];
      logits[begin + i] = logitsN[i];
      confidence[begin + i] = ScoredText.confidence(massN[i], largestN[i]);
    }
    return tapND;
  }

  private static void read(Tensor tensor, float[] target) {
    ((TFloat32) tensor).asRawTensor().data().asFloats().read(target);
  }

  @Override
  public void close() {
    session.close();
    graph.close();
  }
}
