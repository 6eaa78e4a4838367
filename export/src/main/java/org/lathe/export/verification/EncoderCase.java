package org.lathe.export.verification;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableSortedMap;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What an encoder must answer for one sequence.
 *
 * @param ids without padding
 * @param types of the tokens
 * @param outputs by name, as {@link EncoderReference#outputs} gives them
 */
public record EncoderCase(int[] ids, int[] types, Map<String, float[]> outputs) {
  public EncoderCase {
    Preconditions.checkArgument(
        ids.length > 0 && ids.length == types.length,
        "%s ids with %s types; expected equally many, at least one",
        ids.length,
        types.length);
    outputs = ImmutableSortedMap.copyOf(outputs);
  }

  /** Largest difference of an output between two answers to the same sequences. */
  public static double maxDifference(List<EncoderCase> cases, List<EncoderCase> others) {
    double max = 0;
    for (int i = 0; i < cases.size(); i++) {
      for (Map.Entry<String, float[]> output : cases.get(i).outputs().entrySet()) {
        float[] other = Objects.requireNonNull(others.get(i).outputs().get(output.getKey()));
        max = Math.max(max, ReferenceCase.maxDifference(output.getValue(), other));
      }
    }
    return max;
  }

  /** Whether the ids alone say the same. */
  boolean saidByIdsAlone(int paddingId) {
    return Arrays.stream(types).allMatch(type -> type == 0)
        && Arrays.stream(ids).noneMatch(id -> id == paddingId);
  }
}
