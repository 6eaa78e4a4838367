package org.lathe.export.verification;

import java.util.Map;

/**
 * Computes what an exported encoder must compute, by another path than the exported graph. Closing
 * it frees what it holds.
 */
public interface EncoderReference extends AutoCloseable {

  /**
   * The outputs for one sequence under their names of {@link
   * org.lathe.export.format.EncoderSignatures}: logits and probabilities of a classifier (C), score
   * of regression (1), start and end logits of spans (T).
   *
   * @param ids without padding, 1 to maxLength long
   * @param types of the tokens, equally many
   */
  Map<String, float[]> outputs(int[] ids, int[] types);

  @Override
  default void close() {}
}
