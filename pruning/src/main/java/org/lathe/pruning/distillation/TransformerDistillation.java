package org.lathe.pruning.distillation;

import com.google.common.base.Preconditions;
import com.google.common.primitives.Ints;
import java.util.ArrayList;
import java.util.List;
import org.lathe.graphs.layers.Linear;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.pruning.plan.LayerPlan;
import org.lathe.pruning.plan.PruningPlan;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/**
 * TinyBERT's losses on everything below the predictions (Jiao et al. 2020, section 3.1), with E the
 * embeddings, H^m the output of layer m, A^m its raw attention scores Q K^T / sqrt(d_h), S the
 * student, T the teacher:
 *
 * <pre>
 * L_emb = MSE(E_S W + b, E_T)
 * L_hid = sum over m of MSE(H_S^m W + b, H_T^m)
 * L_att = sum over m of 1/h sum over heads of MSE(A_S^m, A_T^m)
 * </pre>
 *
 * The student is a slim teacher that kept its layers' numbers, so its layer m learns from the
 * teacher's layer m, and each of its heads from the one it came from. The map W, b is that of
 * {@link LayerDistillation}, one for all states. Means are over positions that are present, pairs
 * of present positions for scores; the published code counts padding into both denominators.
 *
 * <p>Shape letters: B batch, N heads, T length.
 */
public final class TransformerDistillation {
  private final PruningPlan plan;
  private final Linear projection;

  /** The three terms, scalars; those of no layer are 0. */
  public record Output(
      Operand<TFloat32> attention, Operand<TFloat32> hidden, Operand<TFloat32> embedding) {

    /** All weights 1, as published. */
    public Operand<TFloat32> sum(Ops tf) {
      return tf.math.addN(List.of(attention, hidden, embedding));
    }
  }

  /**
   * @param plan by which the student was made from the teacher
   */
  public TransformerDistillation(VariableCatalog catalog, PruningPlan plan) {
    this.plan = plan;
    projection =
        LayerDistillation.projection(catalog, plan.keptHidden().size(), plan.config().hiddenSize());
  }

  /**
   * @param teacher no gradient reaches it
   * @param presentBT 1 at positions that count, 0 at padding
   */
  public Output call(
      Ops tf, Encoder.Output teacher, Encoder.Output student, Operand<TFloat32> presentBT) {
    Preconditions.checkArgument(
        student.hiddenND().size() == teacher.hiddenND().size(),
        "%s states of the student, %s of the teacher",
        student.hiddenND().size(),
        teacher.hiddenND().size());
    Operand<TFloat32> presentN = tf.reshape(presentBT, tf.constant(new int[] {-1}));
    Operand<TFloat32> pairsB1TT =
        tf.math.mul(
            tf.expandDims(tf.expandDims(presentBT, tf.constant(1)), tf.constant(-1)),
            tf.expandDims(tf.expandDims(presentBT, tf.constant(1)), tf.constant(1)));
    List<Operand<TFloat32>> attention = new ArrayList<>();
    List<Operand<TFloat32>> hidden = new ArrayList<>();
    for (int layer = 0; layer < plan.layers().size(); layer++) {
      LayerPlan kept = plan.layers().get(layer);
      if (!kept.keptHeads().isEmpty()) {
        attention.add(
            scores(
                tf,
                scoresOf(student, layer),
                keptOf(tf, scoresOf(teacher, layer), kept.keptHeads(), layer),
                kept.keptHeads().size(),
                pairsB1TT));
      }
      if (!kept.keptHeads().isEmpty() || !kept.keptIntermediate().isEmpty()) {
        hidden.add(states(tf, teacher, student, layer + 1, presentN));
      }
    }
    return new Output(
        sum(tf, attention), sum(tf, hidden), states(tf, teacher, student, 0, presentN));
  }

  private Operand<TFloat32> states(
      Ops tf,
      Encoder.Output teacher,
      Encoder.Output student,
      int state,
      Operand<TFloat32> presentN) {
    return LayerDistillation.distance(
        tf,
        projection.call(tf, student.hiddenND().get(state)),
        tf.stopGradient(teacher.hiddenND().get(state)),
        presentN);
  }

  private static Operand<TFloat32> scoresOf(Encoder.Output output, int layer) {
    Operand<TFloat32> scoresBNTT = output.scoresBNTT().get(layer);
    Preconditions.checkArgument(scoresBNTT != null, "layer %s has no attention", layer);
    return scoresBNTT;
  }

  /** The teacher's scores of the heads that the student has. */
  private Operand<TFloat32> keptOf(
      Ops tf, Operand<TFloat32> taughtBNTT, List<Integer> keptHeads, int layer) {
    Operand<TFloat32> fixedBNTT = tf.stopGradient(taughtBNTT);
    return keptHeads.size() == plan.config().blocks().get(layer).numHeads()
        ? fixedBNTT
        : tf.gather(fixedBNTT, tf.constant(Ints.toArray(keptHeads)), tf.constant(1));
  }

  /** Mean of the squared differences over heads and pairs of positions that count. */
  private static Operand<TFloat32> scores(
      Ops tf,
      Operand<TFloat32> scoresBNTT,
      Operand<TFloat32> targetsBNTT,
      int numHeads,
      Operand<TFloat32> pairsB1TT) {
    Operand<TFloat32> differenceBNTT =
        tf.math.mul(tf.math.squaredDifference(scoresBNTT, targetsBNTT), pairsB1TT);
    Operand<TFloat32> numPairs = tf.reduceSum(pairsB1TT, tf.constant(new int[] {0, 1, 2, 3}));
    return tf.math.div(
        tf.reduceSum(differenceBNTT, tf.constant(new int[] {0, 1, 2, 3})),
        tf.math.mul(tf.math.maximum(numPairs, tf.constant(1f)), tf.constant((float) numHeads)));
  }

  private static Operand<TFloat32> sum(Ops tf, List<Operand<TFloat32>> terms) {
    return terms.isEmpty() ? tf.constant(0f) : tf.math.addN(terms);
  }
}
