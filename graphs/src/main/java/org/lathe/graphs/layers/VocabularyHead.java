package org.lathe.graphs.layers;

import org.lathe.graphs.gates.Gates;
import org.lathe.graphs.ops.Dropout;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * From outputs f to vocabulary logits a_w, of which P(w) = exp(a_w) / sum_v exp(a_v) in a model
 * without memory. Shape letters: N positions, D hidden, V vocabulary, H words of the table or of
 * the first cluster.
 */
public interface VocabularyHead {

  /**
   * What a loss needs of the vocabulary.
   *
   * @param massN Zv = ln sum_w exp(a_w)
   * @param logitsN a_y of the right next token
   * @param headNH a_w of the words that are computed at every position: all of one table, or the
   *     first cluster. An intermediate result of massN; costs nothing when nobody reads it
   */
  record Target(Operand<TFloat32> massN, Operand<TFloat32> logitsN, Operand<TFloat32> headNH) {}

  /** All words: (N, D) -> (N, V). */
  Operand<TFloat32> logits(Ops tf, Operand<TFloat32> outputND, Gates gates);

  /**
   * One word a position, as cheaply as the vocabulary allows: (N, D), (N) -> (N) each.
   *
   * @param dropout on f before it is read here; {@link Dropout#NONE} outside training
   */
  Target target(
      Ops tf, Operand<TFloat32> outputND, Operand<TInt32> targetsN, Gates gates, Dropout dropout);
}
