package org.lathe.graphs.models;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.lathe.graphs.config.RecurrenceConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.ops.Dropout;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.testdata.Feeds;
import org.lathe.testdata.RandomArrays;
import org.lathe.testdata.TestSession;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.Placeholder;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/** A recurrent model whose memory and weights are fed, and what it has given back as memory. */
final class RecurrentRig implements AutoCloseable {
  final TestSession session = new TestSession();
  final Ops tf = session.tf();
  final VariableCatalog catalog = new VariableCatalog(tf, 1);
  final Map<String, double[]> weights = new LinkedHashMap<>();
  final Operand<TInt32> tokensBT;
  final RecurrentMemory memory;
  final RecurrentLanguageModel.Output output;
  final Operand<TFloat32> logitsNV;
  final int batchSize;
  private final Map<Operand<TFloat32>, Shape> shapes = new LinkedHashMap<>();
  private final List<Operand<TFloat32>> slots = new ArrayList<>();
  private final List<Operand<TFloat32>> nextSlots = new ArrayList<>();
  private final List<double[]> values = new ArrayList<>();

  /** What a segment gave: state after the last block, g, f, logits, loss. */
  record Said(double[] hidden, double[] tap, double[] output, double[] logits, double loss) {}

  RecurrentRig(TransformerConfig config, RecurrenceConfig recurrence, int batchSize) {
    this.batchSize = batchSize;
    RecurrentLanguageModel model = new RecurrentLanguageModel(catalog, config, recurrence);
    Random random = new Random(3);
    for (Variable variable : catalog.all()) {
      double[] drawn = RandomArrays.normal(random, (int) variable.size(), 0.4);
      for (int i = 0; i < drawn.length; i++) {
        drawn[i] = (float) (drawn[i] + (variable.name().endsWith("gain") ? 1 : 0));
      }
      weights.put(variable.name(), drawn);
    }
    tokensBT = tf.placeholder(TInt32.class, Placeholder.shape(Shape.of(-1, -1)));
    RecurrentMemory.Slots recent = slots(config, recurrence.memoryLength());
    memory =
        new RecurrentMemory(
            recent,
            recurrence.compression().present()
                ? slots(config, recurrence.compression().length())
                : null);
    output = model.call(tf, tokensBT, memory, Dropout.NONE);
    logitsNV = model.head().logits(tf, output.outputND(), Gates.NONE);
    addNext(output.next().recent());
    if (output.next().compressed() != null) {
      addNext(output.next().compressed());
    }
    // folded constants wait for reads whose values are fed
    session.run(catalog.all().stream().map(Variable::initialize).toList());
  }

  private void addNext(RecurrentMemory.Slots next) {
    nextSlots.addAll(next.layersBMD());
    nextSlots.add(next.validBM());
  }

  private RecurrentMemory.Slots slots(TransformerConfig config, int length) {
    List<Operand<TFloat32>> layers = new ArrayList<>();
    for (int layer = 0; layer < config.numLayers(); layer++) {
      layers.add(slot(Shape.of(batchSize, length, config.hiddenSize())));
    }
    return new RecurrentMemory.Slots(layers, slot(Shape.of(batchSize, length)));
  }

  private Operand<TFloat32> slot(Shape shape) {
    Operand<TFloat32> slot = tf.placeholder(TFloat32.class, Placeholder.shape(shape));
    slots.add(slot);
    shapes.put(slot, shape);
    // what lies in an empty memory must not matter, so it is not zero
    double[] rubbish = RandomArrays.normal(new Random(slots.size()), (int) shape.size(), 2);
    values.add(shape.numDimensions() == 2 ? new double[(int) shape.size()] : rubbish);
    return slot;
  }

  private Shape shapeOf(Operand<TFloat32> slot) {
    return Objects.requireNonNull(shapes.get(slot));
  }

  /** Marks a row's memory as empty. */
  void empty(int row) {
    for (int i = 0; i < slots.size(); i++) {
      Shape shape = shapeOf(slots.get(i));
      if (shape.numDimensions() == 2) {
        int length = (int) shape.get(1);
        Arrays.fill(values.get(i), row * length, (row + 1) * length, 0);
      }
    }
  }

  /** The weights and the memory as they stand. */
  Feeds feeds(int[] tokens) {
    Feeds feeds =
        Feeds.none().put(tokensBT, Shape.of(batchSize, tokens.length / batchSize), tokens);
    for (Variable variable : catalog.all()) {
      feeds.put(variable.read(), variable.shape(), weights.get(variable.name()));
    }
    for (int i = 0; i < slots.size(); i++) {
      feeds.put(slots.get(i), shapeOf(slots.get(i)), values.get(i));
    }
    return feeds;
  }

  /** Runs one segment and keeps the memory it gives. */
  Said step(int[] tokens) {
    List<Operand<?>> fetches = new ArrayList<>();
    fetches.add(output.hiddenND().get(output.hiddenND().size() - 1));
    fetches.add(output.tapND());
    fetches.add(output.outputND());
    fetches.add(logitsNV);
    fetches.add(output.reconstructionLoss());
    int numOutputs = fetches.size();
    fetches.addAll(nextSlots);
    List<double[]> said = session.evaluateAll(fetches, feeds(tokens));
    for (int i = 0; i < slots.size(); i++) {
      values.set(i, said.get(numOutputs + i));
    }
    return new Said(said.get(0), said.get(1), said.get(2), said.get(3), said.get(4)[0]);
  }

  @Override
  public void close() {
    session.close();
  }
}
