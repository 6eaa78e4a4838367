package org.lathe.export.verification;

import com.google.common.base.Preconditions;
import java.util.Arrays;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.models.DecoderLanguageModel;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.weights.WeightTransfer;
import org.tensorflow.Graph;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Session;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.proto.ConfigProto;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * The model as training builds it, one unpadded prompt at a time: the graph gives logits a and
 * memory representations g, and Java joins them in double precision.
 *
 * <pre>
 *   P(w) = [exp(a_w) + sum_{j: x_{j+1} = w} exp(scale g_t . g_j / temperature)] / Z    j below t
 * </pre>
 */
public final class GraphReference implements ReferenceScorer {
  private final TransformerConfig config;
  private final MemoryConfig memory;
  private final double temperature;
  private final Graph graph = new Graph();
  private final Session session;
  private final Placeholder<TInt32> tokensBT;
  private final Operand<TFloat32> logitsNV;
  private final Operand<TFloat32> tapNP;

  /** With TensorFlow's default settings; see the other constructor. */
  public GraphReference(
      TransformerConfig config, MemoryConfig memory, Weights weights, double temperature) {
    this(config, memory, weights, temperature, ConfigProto.getDefaultInstance());
  }

  /**
   * @param temperature divides the memory scores
   * @param settings such as the number of threads
   * @throws org.lathe.graphs.errors.GraphMismatchException when the weights are not the decoder's
   */
  public GraphReference(
      TransformerConfig config,
      MemoryConfig memory,
      Weights weights,
      double temperature,
      ConfigProto settings) {
    this.config = config;
    this.memory = memory;
    this.temperature = temperature;
    Ops tf = Ops.create(graph);
    VariableCatalog catalog = new VariableCatalog(tf, 0);
    DecoderLanguageModel model = new DecoderLanguageModel(catalog, config);
    tokensBT =
        tf.placeholder(
            TInt32.class, Placeholder.shape(Shape.of(Shape.UNKNOWN_SIZE, Shape.UNKNOWN_SIZE)));
    DecoderLanguageModel.Output output = model.call(tf, tokensBT, Gates.NONE, Dropout.NONE);
    logitsNV = model.logits(tf, output.outputND(), Gates.NONE);
    tapNP = output.tapNP();
    WeightTransfer transfer = new WeightTransfer(tf, catalog.all());
    session = new Session(graph, settings);
    try {
      transfer.assign(session, weights, "the weights of the reference");
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * What the model makes of one prompt.
   *
   * @param logits a of the last position, (V)
   * @param taps g of all positions, row-major (T, D)
   */
  public record Encoded(float[] logits, float[] taps) {}

  @Override
  public float[][] nextLogProbabilities(int[][] prompts) {
    float[][] result = new float[prompts.length][];
    for (int i = 0; i < prompts.length; i++) {
      result[i] = nextLogProbabilities(prompts[i]);
    }
    return result;
  }

  private float[] nextLogProbabilities(int[] prompt) {
    Encoded encoded = encode(prompt);
    return joined(prompt, encoded.logits(), encoded.taps());
  }

  /**
   * @param prompt ids without padding, 1 to maxPositions long
   */
  public Encoded encode(int[] prompt) {
    Preconditions.checkArgument(
        prompt.length > 0 && prompt.length <= config.maxPositions(),
        "a prompt of %s ids; expected 1 to %s",
        prompt.length,
        config.maxPositions());
    try (TInt32 ids =
            TInt32.tensorOf(Shape.of(1, prompt.length), DataBuffers.of(prompt, true, false));
        Result result = session.runner().feed(tokensBT, ids).fetch(logitsNV).fetch(tapNP).run()) {
      float[] logits = values((TFloat32) result.get(0));
      float[] taps = values((TFloat32) result.get(1));
      int vocabularySize = config.vocabularySize();
      int last = (prompt.length - 1) * vocabularySize;
      return new Encoded(Arrays.copyOfRange(logits, last, last + vocabularySize), taps);
    }
  }

  private float[] joined(int[] prompt, float[] logits, float[] taps) {
    int vocabularySize = config.vocabularySize();
    int last = prompt.length - 1;
    double[] exponents = new double[vocabularySize + last];
    int[] words = new int[vocabularySize + last];
    int count = vocabularySize;
    for (int w = 0; w < vocabularySize; w++) {
      exponents[w] = logits[w];
      words[w] = w;
    }
    if (memory.objective() != MemoryConfig.MemoryObjective.NONE) {
      for (int j = 0; j < last; j++) {
        exponents[count] = memory.scoreScale() * dot(taps, last, j) / temperature;
        words[count++] = prompt[j + 1];
      }
    }
    double max = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      max = Math.max(max, exponents[i]);
    }
    // per word its own largest exponent, so that unlikely words do not become ln 0
    double[] maxOfWord = new double[vocabularySize];
    Arrays.fill(maxOfWord, Double.NEGATIVE_INFINITY);
    for (int i = 0; i < count; i++) {
      maxOfWord[words[i]] = Math.max(maxOfWord[words[i]], exponents[i]);
    }
    double[] massOfWord = new double[vocabularySize];
    double total = 0;
    for (int i = 0; i < count; i++) {
      massOfWord[words[i]] += Math.exp(exponents[i] - maxOfWord[words[i]]);
      total += Math.exp(exponents[i] - max);
    }
    double logTotal = max + Math.log(total);
    float[] result = new float[vocabularySize];
    for (int w = 0; w < vocabularySize; w++) {
      result[w] = (float) (maxOfWord[w] + Math.log(massOfWord[w]) - logTotal);
    }
    return result;
  }

  private double dot(float[] taps, int first, int second) {
    int width = config.tapWidth();
    double sum = 0;
    for (int d = 0; d < width; d++) {
      sum += (double) taps[first * width + d] * taps[second * width + d];
    }
    return sum;
  }

  private static float[] values(TFloat32 tensor) {
    float[] values = new float[Math.toIntExact(tensor.size())];
    tensor.asRawTensor().data().asFloats().read(values);
    return values;
  }

  @Override
  public void close() {
    session.close();
    graph.close();
  }
}
