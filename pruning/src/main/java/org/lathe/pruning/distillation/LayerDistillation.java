package org.lathe.pruning.distillation;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.layers.Linear;
import org.lathe.graphs.variables.Initializer;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.graphs.weights.Weights;
import org.tensorflow.Operand;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * CoFi's layer loss: sum over chosen teacher layers i of c_(i, m(i)), with c_ij = mean over
 * positions and D of (W student_j + b - teacher_i)^2. One affine map W, b serves all layers; it
 * starts as the identity and never leaves training: names {@code distillation/projection/kernel}
 * (student D, teacher D) and {@code .../bias}, group AUXILIARY.
 */
public final class LayerDistillation {
  private static final String PROJECTION = "distillation/projection";

  /** Cost of a student that does not exist, far above any real cost. */
  private static final float ABSENT_COST = 1e9f;

  private final List<Integer> teacherLayers;
  private final Matching matching;
  private final Linear projection;

  /**
   * The loss and what it was chosen from.
   *
   * @param loss scalar
   * @param costs (teacher layers, student layers): c_ij
   */
  public record Output(Operand<TFloat32> loss, Operand<TFloat32> costs) {}

  /**
   * @param hiddenSize D of teacher and student
   * @param teacherLayers blocks of the teacher from 0, increasing, such as 2, 5, 8, 11
   */
  public LayerDistillation(
      VariableCatalog catalog, int hiddenSize, List<Integer> teacherLayers, Matching matching) {
    this(catalog, hiddenSize, hiddenSize, teacherLayers, matching);
  }

  /**
   * For a slim student: its projection is assigned from {@link #sliceProjection}. Until then it is
   * the identity's first rows.
   */
  public LayerDistillation(
      VariableCatalog catalog,
      int studentHiddenSize,
      int teacherHiddenSize,
      List<Integer> teacherLayers,
      Matching matching) {
    Preconditions.checkArgument(!teacherLayers.isEmpty(), "no teacher layer is given");
    for (int i = 0; i < teacherLayers.size(); i++) {
      Preconditions.checkArgument(
          teacherLayers.get(i) > (i == 0 ? -1 : teacherLayers.get(i - 1)),
          "teacherLayers %s must increase from 0 or more",
          teacherLayers);
    }
    this.teacherLayers = ImmutableList.copyOf(teacherLayers);
    this.matching = matching;
    projection = projection(catalog, studentHiddenSize, teacherHiddenSize);
  }

  /** From student states to teacher states; at the start the identity's first rows. */
  static Linear projection(VariableCatalog catalog, int studentHiddenSize, int teacherHiddenSize) {
    float[] identity = new float[studentHiddenSize * teacherHiddenSize];
    for (int i = 0; i < Math.min(studentHiddenSize, teacherHiddenSize); i++) {
      identity[i * teacherHiddenSize + i] = 1;
    }
    return new Linear(
        catalog,
        PROJECTION,
        studentHiddenSize,
        teacherHiddenSize,
        /* withBias= */ true,
        Initializer.values(identity),
        VariableGroup.AUXILIARY);
  }

  /** Four layers evenly spaced, the last included (CoFi: 2, 5, 8, 11 of 12); all where fewer. */
  public static List<Integer> fourOf(int numLayers) {
    int count = Math.min(4, numLayers);
    ImmutableList.Builder<Integer> layers = ImmutableList.builder();
    for (int i = 1; i <= count; i++) {
      layers.add(i * numLayers / count - 1);
    }
    return layers.build();
  }

  /**
   * The projection for a slim student: the kernel's rows of its kept dimensions. Exact, because the
   * gated states are 0 elsewhere.
   *
   * @param trained holds {@code distillation/projection/...}
   */
  public static Weights sliceProjection(Weights trained, List<Integer> keptHidden) {
    Weights.Array kernel = trained.get(PROJECTION + "/kernel");
    int width = Math.toIntExact(kernel.shape().get(1));
    float[] sliced = new float[keptHidden.size() * width];
    for (int i = 0; i < keptHidden.size(); i++) {
      System.arraycopy(kernel.values(), keptHidden.get(i) * width, sliced, i * width, width);
    }
    Weights.Array bias = trained.get(PROJECTION + "/bias");
    return new Weights()
        .put(PROJECTION + "/kernel", Shape.of(keptHidden.size(), width), sliced)
        .put(PROJECTION + "/bias", bias.shape(), bias.values());
  }

  /**
   * The projection a slim student starts with: {@link #sliceProjection} where it was learned, else
   * the identity's rows of the kept dimensions.
   *
   * @param weights of the method that chose what is kept
   */
  public static Weights startingProjection(
      Weights weights, int teacherHiddenSize, List<Integer> keptHidden) {
    if (weights.contains(PROJECTION + "/kernel")) {
      return sliceProjection(weights, keptHidden);
    }
    float[] rows = new float[keptHidden.size() * teacherHiddenSize];
    for (int i = 0; i < keptHidden.size(); i++) {
      rows[i * teacherHiddenSize + keptHidden.get(i)] = 1;
    }
    return new Weights()
        .put(PROJECTION + "/kernel", Shape.of(keptHidden.size(), teacherHiddenSize), rows)
        .put(PROJECTION + "/bias", Shape.of(teacherHiddenSize), new float[teacherHiddenSize]);
  }

  /**
   * @param teacherStates embeddings, then the output of each block, (N, D) each, as a model gives
   *     them; no gradient reaches them
   * @param studentStates the same of the student
   * @param existsL [student layers], 1 or 0: which students may be matched; null = all. Where none
   *     may, the term is 0
   * @param presentN 1 at positions that count, 0 at padding; null = all count
   */
  public Output call(
      Ops tf,
      List<Operand<TFloat32>> teacherStates,
      List<Operand<TFloat32>> studentStates,
      @Nullable Operand<TFloat32> existsL,
      @Nullable Operand<TFloat32> presentN) {
    int numStudents = studentStates.size() - 1;
    check(teacherStates.size() - 1, numStudents);
    List<Operand<TFloat32>> projected = new ArrayList<>();
    for (Operand<TFloat32> state : studentStates.subList(1, studentStates.size())) {
      projected.add(projection.call(tf, state));
    }
    List<List<Operand<TFloat32>>> costs = new ArrayList<>();
    List<Operand<TFloat32>> rows = new ArrayList<>();
    for (int layer : teacherLayers) {
      Operand<TFloat32> target = tf.stopGradient(teacherStates.get(layer + 1));
      List<Operand<TFloat32>> row = new ArrayList<>();
      for (Operand<TFloat32> state : projected) {
        row.add(distance(tf, state, target, presentN));
      }
      costs.add(row);
      rows.add(tf.stack(row));
    }
    Operand<TFloat32> allCosts = tf.stack(rows);
    Operand<TFloat32> loss =
        switch (matching) {
          case FIXED -> fixed(tf, costs, existsL);
          case FREE -> free(tf, allCosts, existsL);
          case ORDERED ->
              new OrderedAssignment(tf).cost(costs, existence(tf, existsL, numStudents));
        };
    return new Output(loss, allCosts);
  }

  /** Mean of the squared differences over D and the positions that count. */
  static Operand<TFloat32> distance(
      Ops tf,
      Operand<TFloat32> stateND,
      Operand<TFloat32> targetND,
      @Nullable Operand<TFloat32> presentN) {
    Operand<TFloat32> differenceND = tf.math.squaredDifference(stateND, targetND);
    if (presentN == null) {
      return tf.math.mean(differenceND, tf.constant(new int[] {0, 1}));
    }
    Operand<TFloat32> differenceN = tf.math.mean(differenceND, tf.constant(1));
    return tf.math.div(
        tf.reduceSum(tf.math.mul(differenceN, presentN), tf.constant(0)),
        tf.math.maximum(tf.reduceSum(presentN, tf.constant(0)), tf.constant(1f)));
  }

  private Operand<TFloat32> fixed(
      Ops tf, List<List<Operand<TFloat32>>> costs, @Nullable Operand<TFloat32> existsL) {
    List<Operand<TFloat32>> terms = new ArrayList<>();
    for (int i = 0; i < costs.size(); i++) {
      int layer = teacherLayers.get(i);
      Operand<TFloat32> cost = costs.get(i).get(layer);
      terms.add(existsL == null ? cost : tf.math.mul(cost, element(tf, existsL, layer)));
    }
    return tf.math.addN(terms);
  }

  private static Operand<TFloat32> free(
      Ops tf, Operand<TFloat32> costs, @Nullable Operand<TFloat32> existsL) {
    if (existsL == null) {
      return tf.reduceSum(tf.reduceMin(costs, tf.constant(1)), tf.constant(0));
    }
    Operand<TFloat32> absent = tf.math.sub(tf.constant(1f), existsL);
    Operand<TFloat32> admissible =
        tf.math.add(tf.math.mul(costs, existsL), tf.math.mul(absent, tf.constant(ABSENT_COST)));
    Operand<TFloat32> cheapest = tf.reduceMin(admissible, tf.constant(1));
    Operand<TFloat32> any = tf.reduceMax(existsL, tf.constant(0));
    return tf.reduceSum(tf.math.mul(cheapest, any), tf.constant(0));
  }

  private static List<Operand<TFloat32>> existence(
      Ops tf, @Nullable Operand<TFloat32> existsL, int numStudents) {
    List<Operand<TFloat32>> exists = new ArrayList<>();
    for (int j = 0; j < numStudents; j++) {
      exists.add(existsL == null ? tf.constant(1f) : element(tf, existsL, j));
    }
    return exists;
  }

  private void check(int numTeachers, int numStudents) {
    int last = teacherLayers.get(teacherLayers.size() - 1);
    Preconditions.checkArgument(
        last < numTeachers, "teacher layer %s of %s layers", last, numTeachers);
    Preconditions.checkArgument(
        matching != Matching.FIXED || numTeachers == numStudents,
        "fixed matching needs as many student layers (%s) as teacher layers (%s)",
        numStudents,
        numTeachers);
  }

  private static Operand<TFloat32> element(Ops tf, Operand<TFloat32> vector, int index) {
    return tf.gather(vector, tf.constant(index), tf.constant(0));
  }
}
