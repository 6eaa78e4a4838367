package org.lathe.cli.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lathe.graphs.models.DecoderLanguageModel;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.variables.VariableGroup;
import org.lathe.training.files.LocalStorage;
import org.tensorflow.Graph;
import org.tensorflow.op.Ops;

/** The TRIME paper's own models, by the numbers published for them. */
class PaperPresetsTest {
  /** Words of WikiText-103. */
  private static final int WORDS = 267_744;

  @ParameterizedTest
  @CsvSource({
    "trime-247m, 267744, 247e6, 1",
    "trime-150m, 267744, 150e6, 2",
    "trime-38m, 208, 38e6, 1",
    "trime-7m, 267744, 7e6, 3",
  })
  void parametersMatchThePaper(String preset, int vocabulary, double published, double percent) {
    try (Graph graph = new Graph()) {
      VariableCatalog catalog = new VariableCatalog(Ops.create(graph), 1);
      new DecoderLanguageModel(catalog, read(preset).model().toTransformerConfig(vocabulary));
      long count = catalog.of(VariableGroup.MODEL).stream().mapToLong(Variable::size).sum();
      assertThat((double) count).isCloseTo(published, Percentage.withPercentage(percent));
    }
  }

  @Test
  void tokensOfAnUpdateMatchThePaper() {
    assertThat(read("trime-247m").tokensPerStep()).isEqualTo(73_728);
    assertThat(read("trime-150m").tokensPerStep()).isEqualTo(72_000);
    assertThat(read("trime-38m").tokensPerStep()).isEqualTo(49_152);
    assertThat(read("trime-7m").tokensPerStep()).isEqualTo(24_576);
  }

  @Test
  void warmUpIsAsLongAsTheReleasedEpochs() {
    // epochs x tokens of an epoch / tokens of an update / updates
    double wikiText103 = 103_227_021;
    assertThat(read("trime-247m").training().warmupFraction())
        .isCloseTo(9 * wikiText103 / 73_728 / 286_000, within(2e-4));
    assertThat(read("trime-150m").training().warmupFraction())
        .isCloseTo(3 * wikiText103 / 72_000 / 200_000, within(2e-4));
    assertThat(read("trime-38m").training().warmupFraction())
        .isCloseTo(3 * 90e6 / 49_152 / 400_000, within(2e-4));
    assertThat(WORDS).isEqualTo(read("trime-247m").data().vocabularySize());
  }

  private static RunConfig read(String preset) {
    return new RunConfigReader(LocalStorage.INSTANCE).read(null, preset, Overrides.NONE);
  }
}
