package org.lathe.training.pretrained;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.lathe.training.files.Storage;

/**
 * What the graph of Google's BERT in a SavedModel tells besides its variables, by the names that
 * its code gives to constants: "attention/self/Reshape/shape/2" is the number of heads,
 * "LayerNorm/batchnorm/add/y" the epsilon, and an op Tanh, Erf or Relu in "intermediate/dense" the
 * activation. The file is walked as a message; nothing in it runs.
 */
final class SavedModelHints {
  private static final int MAX_NAME_BYTES = 4096;

  /** A value that differs between layers is none. */
  private final Set<Long> heads = new TreeSet<>();

  private final Set<Float> epsilons = new TreeSet<>();
  private final Set<String> activations = new TreeSet<>();
  private final ProtoWalker walker;

  private SavedModelHints(ProtoWalker walker) {
    this.walker = walker;
  }

  /**
   * @throws org.lathe.graphs.errors.CorruptFileException when it is no such message
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  static SavedModelHints read(Storage storage, Path savedModelPb) {
    SavedModelHints hints = new SavedModelHints(ProtoWalker.of(storage, savedModelPb));
    // SavedModel.meta_graphs 2, MetaGraphDef.graph_def 2, GraphDef.node 1
    hints.walker.walk(
        model ->
            hints.nested(
                model == 2,
                meta -> hints.nested(meta == 2, graph -> hints.nested(graph == 1, hints.node()))));
    return hints;
  }

  OptionalInt numHeads(int hiddenSize) {
    return heads.size() == 1 && hiddenSize % heads.iterator().next() == 0
        ? OptionalInt.of(heads.iterator().next().intValue())
        : OptionalInt.empty();
  }

  OptionalDouble normEpsilon() {
    // as decimal, so that 1e-12f is 1e-12
    return epsilons.size() == 1
        ? OptionalDouble.of(Double.parseDouble(Float.toString(epsilons.iterator().next())))
        : OptionalDouble.empty();
  }

  /** "gelu", "gelu_new" or "relu" as Hugging Face calls them; null when none is recognized. */
  @Nullable String activation() {
    return activations.size() == 1 ? activations.iterator().next() : null;
  }

  private void nested(boolean wanted, ProtoWalker.Fields fields) throws IOException {
    if (wanted) {
      walker.message(fields);
    } else {
      walker.skip();
    }
  }

  /** NodeDef: name 1, op 2, attr 5 {key 1, value 2 {tensor 8}}. */
  private ProtoWalker.Fields node() {
    String[] name = {""};
    return field -> {
      switch (field) {
        case 1 -> name[0] = walker.text(MAX_NAME_BYTES);
        case 2 -> op(name[0], walker.text(MAX_NAME_BYTES));
        case 5 ->
            walker.message(
                entry ->
                    nested(
                        entry == 2 && tellsSomething(name[0]),
                        value -> nested(value == 8, constant(name[0]))));
        default -> walker.skip();
      }
    };
  }

  private void op(String name, String op) {
    if (name.contains("/intermediate/dense/")) {
      switch (op) {
        case "Tanh" -> activations.add("gelu_new");
        case "Erf" -> activations.add("gelu");
        case "Relu" -> activations.add("relu");
        default -> {}
      }
    }
  }

  private static boolean tellsSomething(String name) {
    return name.endsWith("/attention/self/Reshape/shape/2")
        || name.endsWith("/LayerNorm/batchnorm/add/y");
  }

  /** TensorProto of one number: tensor_content 4, float_val 5, int_val 7. */
  private ProtoWalker.Fields constant(String name) {
    boolean head = name.endsWith("/2");
    return field -> {
      switch (field) {
        case 5 ->
            epsilons.add(
                ByteBuffer.wrap(walker.small(Float.BYTES))
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .getFloat());
        case 7 -> walker.varints(value -> keep(head, value));
        default -> walker.skip();
      }
    };
  }

  private void keep(boolean head, long value) {
    if (head && value > 0) {
      heads.add(value);
    }
  }
}
