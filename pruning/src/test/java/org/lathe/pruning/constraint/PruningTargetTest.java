package org.lathe.pruning.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.pruning.budget.ParameterCount;

class PruningTargetTest {
  private static final TransformerConfig MODEL = TransformerConfig.uniform(50, 16, 2, 4, 32, 24);

  @Test
  void parametersThatAreLeftAreASparsity() {
    long prunable = ParameterCount.count(MODEL);
    PruningTarget quarter = PruningTarget.parameters(prunable / 4, MODEL);
    assertThat(quarter.kind()).isEqualTo(TargetKind.SPARSITY);
    assertThat(quarter.reduction()).isCloseTo(0.75, within(1e-3));
    assertThatThrownBy(() -> PruningTarget.parameters(prunable, MODEL))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(String.valueOf(prunable));
  }
}
