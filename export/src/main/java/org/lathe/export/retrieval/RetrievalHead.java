package org.lathe.export.retrieval;

import org.jspecify.annotations.Nullable;
import org.lathe.graphs.ops.LogSumExp;
import org.lathe.graphs.retrieval.IvfGraph;
import org.lathe.training.datastore.NeighborSearch.Metric;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.Mixing;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.op.core.ReduceSum;
import org.tensorflow.types.TBool;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;
import org.tensorflow.types.TInt64;

/**
 * The next token with an external memory: searches the nearest items, mixes them with the
 * vocabulary and the local memory as {@link MemoryMixing} says, and tells what came from where.
 *
 * <pre>
 *   s_k     = scale q . k, or -scale |q - k|^2 / 2 where the search is by distance
 *   P_1     = vocabulary and local memory; where the items share its softmax, with exp(s_k / tau)
 *   P_final = (1 - lambda) P_1 + lambda softmax(s / tau')          TRIME equations 5 and 6
 * </pre>
 *
 * <p>Shape letters: B rows, J local items, K neighbours, D width of g, V vocabulary, M documents.
 */
public final class RetrievalHead {
  /** Where nothing was found. */
  private static final int NOTHING = -1;

  private final RetrievalPlan plan;
  private final MemoryVariables variables;
  private final double scoreScale;
  private final int vocabularySize;

  /**
   * What a client gets; names and meanings are those of {@link
   * org.lathe.export.format.SignatureNames}.
   */
  public record Answer(
      Operand<TFloat32> logProbabilitiesBV,
      Operand<TFloat32> memoryShareB,
      Operand<TInt64> documentsBK,
      Operand<TInt64> positionsBK,
      Operand<TInt32> tokensBK,
      Operand<TFloat32> scoresBK,
      Operand<TFloat32> sharesBK) {}

  /** P_1, the part of it that comes from memory, and the part of each retrieved item, if any. */
  private record First(
      Operand<TFloat32> logProbabilitiesBV,
      Operand<TFloat32> shareB1,
      @Nullable Operand<TFloat32> sharesBK) {}

  /**
   * @param scoreScale factor on inner products that the model was trained with
   */
  public RetrievalHead(
      RetrievalPlan plan, MemoryVariables variables, double scoreScale, int vocabularySize) {
    this.plan = plan;
    this.variables = variables;
    this.scoreScale = scoreScale;
    this.vocabularySize = vocabularySize;
  }

  /**
   * @param logitsBV a of the vocabulary
   * @param queriesBD g of the last positions
   * @param local earlier positions of the rows, their scores divided by the temperature of the
   *     mixing's recent memory; null where {@link RetrievalPlan#usesLocal} is false
   */
  public Answer call(
      Ops tf,
      Operand<TFloat32> logitsBV,
      Operand<TFloat32> queriesBD,
      @Nullable ScoredItems local) {
    IvfGraph graph = variables.graph(plan.memory().index());
    IvfGraph.Found found =
        plan.memory().exact()
            ? graph.searchAll(tf, queriesBD, plan.neighbors())
            : graph.search(tf, queriesBD, plan.probes(), plan.neighbors());
    Operand<TInt32> tokensBK = tf.gather(variables.values(), found.itemsQK(), tf.constant(0));
    ScoredItems items = new ScoredItems(scores(tf, queriesBD, found.scoresQK()), tokensBK);
    MemoryMixing mixing = plan.mixing();

    First first = first(tf, logitsBV, local, items);
    double weight = mixing.external().interpolation().constantWeight();
    Operand<TFloat32> logProbabilitiesBV = first.logProbabilitiesBV();
    Operand<TFloat32> shareB1 = first.shareB1();
    Operand<TFloat32> sharesBK = first.sharesBK();
    if (weight > 0) {
      ScoredItems own = items.at(tf, mixing.external().temperature());
      ScoredItems.Interpolated mixed =
          own.interpolate(tf, logProbabilitiesBV, weight, vocabularySize);
      Operand<TFloat32> weightB1 = mixed.weightB1();
      Operand<TFloat32> restB1 = tf.math.sub(tf.constant(1f), weightB1);
      logProbabilitiesBV = mixed.logProbabilitiesBV();
      shareB1 = tf.math.add(weightB1, tf.math.mul(restB1, shareB1));
      Operand<TFloat32> ownBK =
          tf.math.mul(weightB1, tf.math.exp(tf.math.sub(own.scoresBJ(), own.massB1(tf))));
      sharesBK = sharesBK == null ? ownBK : tf.math.add(ownBK, tf.math.mul(restB1, sharesBK));
    }
    if (sharesBK == null) {
      sharesBK = tf.math.mul(items.scoresBJ(), tf.constant(0f));
    }
    return answer(tf, logProbabilitiesBV, shareB1, found.itemsQK(), items, sharesBK);
  }

  /** s of what was found. The search leaves -|q|^2 / 2 out, which is the same for all keys. */
  private Operand<TFloat32> scores(Ops tf, Operand<TFloat32> queriesBD, Operand<TFloat32> foundBK) {
    Operand<TBool> isFoundBK = tf.math.greater(foundBK, tf.constant(Float.NEGATIVE_INFINITY));
    Operand<TFloat32> scoresBK = foundBK;
    if (plan.memory().index().metric() == Metric.SQUARED_L2) {
      Operand<TFloat32> normB1 =
          tf.reduceSum(tf.math.square(queriesBD), tf.constant(1), ReduceSum.keepDims(true));
      scoresBK = tf.math.sub(foundBK, tf.math.mul(normB1, tf.constant(0.5f)));
    }
    return tf.select(
        isFoundBK,
        tf.math.mul(scoresBK, tf.constant((float) scoreScale)),
        tf.constant(ScoredItems.ABSENT));
  }

  private First first(
      Ops tf, Operand<TFloat32> logitsBV, @Nullable ScoredItems local, ScoredItems items) {
    Mixing recent = plan.mixing().recent();
    if (local == null) {
      Operand<TFloat32> zeroB1 = tf.math.mul(items.massB1(tf), tf.constant(0f));
      return new First(LogSumExp.logSoftmax(tf, logitsBV), zeroB1, null);
    }
    if (recent.form() == Mixing.Form.LINEAR) {
      ScoredItems.Interpolated mixed =
          local.interpolate(
              tf, LogSumExp.logSoftmax(tf, logitsBV), recent.interpolation(), vocabularySize);
      return new First(mixed.logProbabilitiesBV(), mixed.weightB1(), null);
    }
    ScoredItems sharing = items.at(tf, recent.temperature());
    boolean shared = plan.mixing().external().shared();
    ScoredItems all = shared ? local.and(tf, sharing) : local;
    Operand<TFloat32> joinedBV = all.join(tf, logitsBV, vocabularySize);
    Operand<TFloat32> totalB1 = tf.expandDims(LogSumExp.lastAxis(tf, joinedBV), tf.constant(1));
    return new First(
        tf.math.sub(joinedBV, totalB1),
        tf.math.exp(tf.math.sub(all.massB1(tf), totalB1)),
        shared ? tf.math.exp(tf.math.sub(sharing.scoresBJ(), totalB1)) : null);
  }

  private Answer answer(
      Ops tf,
      Operand<TFloat32> logProbabilitiesBV,
      Operand<TFloat32> shareB1,
      Operand<TInt32> itemsBK,
      ScoredItems items,
      Operand<TFloat32> sharesBK) {
    Operand<TInt32> shapeBK = tf.shape(itemsBK);
    Operand<TInt32> asRow = tf.constant(new int[] {1, -1});
    // the last document that begins at or before the item
    Operand<TInt32> documentsBK =
        tf.math.sub(
            tf.reshape(
                tf.upperBound(
                    tf.reshape(variables.firstItems(), asRow), tf.reshape(itemsBK, asRow)),
                shapeBK),
            tf.constant(1));
    Operand<TInt32> positionsBK =
        tf.math.sub(itemsBK, tf.gather(variables.firstItems(), documentsBK, tf.constant(0)));
    Operand<TBool> foundBK = items.presentBJ(tf);
    Operand<TInt32> nothing = tf.constant(NOTHING);
    return new Answer(
        logProbabilitiesBV,
        tf.reshape(shareB1, tf.constant(new int[] {-1})),
        tf.dtypes.cast(tf.select(foundBK, documentsBK, nothing), TInt64.class),
        tf.dtypes.cast(tf.select(foundBK, positionsBK, nothing), TInt64.class),
        tf.select(foundBK, items.wordsBJ(), nothing),
        items.scoresBJ(),
        sharesBK);
  }
}
