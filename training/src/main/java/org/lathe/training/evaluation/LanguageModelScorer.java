package org.lathe.training.evaluation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.layers.VocabularyHead;
import org.lathe.graphs.models.DecoderLanguageModel;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.VariableCatalog;
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
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/** Runs a trained decoder over texts without dropout; full and slim models alike. */
public final class LanguageModelScorer implements TextScorer {
  /** Windows that go through the graph together. */
  private static final int WINDOWS_PER_RUN = 8;

  private final Graph graph = new Graph();
  private final Session session;
  private final Placeholder<TInt32> inputsBT;
  private final Placeholder<TInt32> targetsN;
  private final Operand<TFloat32> vocabularyMass;
  private final Operand<TFloat32> targetLogits;
  private final Operand<TFloat32> largestLogits;
  private final Operand<TFloat32> tap;
  private final int width;

  /**
   * @param weights the model's variables
   * @param source of the weights, for messages
   * @param threads 0 = all cores
   */
  public LanguageModelScorer(
      TransformerConfig config, Weights weights, String source, int threads) {
    width = config.tapWidth();
    Ops tf = Ops.create(graph);
    VariableCatalog catalog = new VariableCatalog(tf, 0);
    DecoderLanguageModel model = new DecoderLanguageModel(catalog, config);
    inputsBT = tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(-1, -1)));
    targetsN = tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(-1)));
    DecoderLanguageModel.Output output = model.call(tf, inputsBT, Gates.NONE, Dropout.NONE);
    VocabularyHead.Target target =
        model.head().target(tf, output.outputND(), targetsN, Gates.NONE, Dropout.NONE);
    vocabularyMass = target.massN();
    targetLogits = target.logitsN();
    largestLogits = tf.reduceMax(target.headNH(), tf.constant(-1));
    tap = output.tapNP();
    session = Sessions.open(graph, threads);
    new WeightTransfer(tf, catalog.all()).assign(session, weights, source);
  }

  @Override
  public ScoredText score(int[] tokens, SlidingWindows protocol, ProgressListener progress) {
    int numPositions = tokens.length - 1;
    List<SlidingWindows.Window> windows = protocol.over(numPositions);
    double[] mass = new double[numPositions];
    double[] logits = new double[numPositions];
    double[] confidence = new double[numPositions];
    List<float[]> taps = new ArrayList<>();
    for (int first = 0; first < windows.size(); ) {
      int numTogether = numTogether(windows, first);
      run(tokens, windows.subList(first, first + numTogether), mass, logits, confidence, taps);
      first += numTogether;
      progress.progress("scoring", windows.get(first - 1).end(), numPositions);
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

  /** Only windows of one length can share a run. */
  private static int numTogether(List<SlidingWindows.Window> windows, int first) {
    int length = windows.get(first).end() - windows.get(first).begin();
    int count = 1;
    while (count < WINDOWS_PER_RUN
        && first + count < windows.size()
        && windows.get(first + count).end() - windows.get(first + count).begin() == length) {
      count++;
    }
    return count;
  }

  private void run(
      int[] tokens,
      List<SlidingWindows.Window> windows,
      double[] mass,
      double[] logits,
      double[] confidence,
      List<float[]> taps) {
    int length = windows.get(0).end() - windows.get(0).begin();
    int[] inputs = new int[windows.size() * length];
    int[] targets = new int[inputs.length];
    for (int w = 0; w < windows.size(); w++) {
      int begin = windows.get(w).begin();
      System.arraycopy(tokens, begin, inputs, w * length, length);
      System.arraycopy(tokens, begin + 1, targets, w * length, length);
    }
    float[] massN = new float[inputs.length];
    float[] logitsN = new float[inputs.length];
    float[] largestN = new float[inputs.length];
    float[] tapNP = new float[inputs.length * width];
    try (Tensor fedInputs =
            TInt32.tensorOf(Shape.of(windows.size(), length), DataBuffers.of(inputs, true, false));
        Tensor fedTargets =
            TInt32.tensorOf(Shape.of(targets.length), DataBuffers.of(targets, true, false));
        Result result =
            session
                .runner()
                .feed(inputsBT, fedInputs)
                .feed(targetsN, fedTargets)
                .fetch(vocabularyMass)
                .fetch(targetLogits)
                .fetch(largestLogits)
                .fetch(tap)
                .run()) {
      read(result.get(0), massN);
      read(result.get(1), logitsN);
      read(result.get(2), largestN);
      read(result.get(3), tapNP);
    }
    for (int w = 0; w < windows.size(); w++) {
      SlidingWindows.Window window = windows.get(w);
      for (int i = window.scoredFrom(); i < window.end(); i++) {
        int row = w * length + i - window.begin();
        mass[i] = massN[row];
        logits[i] = logitsN[row];
        confidence[i] = ScoredText.confidence(massN[row], largestN[row]);
      }
      taps.add(Arrays.copyOfRange(tapNP, w * length * width, (w + 1) * length * width));
    }
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
