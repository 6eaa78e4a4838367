package org.lathe.pruning.gates;

import com.google.common.base.Preconditions;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;

/** The logits of all gates at one moment, row-major; a kind that is absent has no gates. */
public final class GateLogits {
  private final TransformerConfig config;
  private final Map<GateKind, float[]> values = new EnumMap<>(GateKind.class);

  /**
   * @param values by kind, with as many numbers as the kind's shape has
   */
  public GateLogits(TransformerConfig config, Map<GateKind, float[]> values) {
    this.config = config;
    values.forEach(
        (kind, array) -> {
          long expected = kind.shape(config).size();
          Preconditions.checkArgument(
              array.length == expected, "%s needs %s logits, got %s", kind, expected, array.length);
          this.values.put(kind, array);
        });
  }

  /** Those kinds whose variables these weights hold. */
  public static GateLogits from(TransformerConfig config, Weights weights) {
    Map<GateKind, float[]> values = new EnumMap<>(GateKind.class);
    for (GateKind kind : GateKind.values()) {
      if (weights.contains(kind.variableName())) {
        values.put(kind, weights.get(kind.variableName()).values());
      }
    }
    return new GateLogits(config, values);
  }

  public TransformerConfig config() {
    return config;
  }

  /** Null where this kind has no gates. */
  public float @Nullable [] of(GateKind kind) {
    return values.get(kind);
  }
}
