package org.lathe.training.datastore;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.lathe.testdata.SeededCases;
import org.lathe.training.evaluation.ScoredText;
import org.lathe.training.evaluation.ScoredTexts;

class KeyStoreTest {
  @Test
  void holdsEveryPositionAsItWasEncodedWhenScored() {
    SeededCases.run(
        200,
        random -> {
          ScoredText text = ScoredTexts.random(random);
          KeyStore store = KeyStore.of(text);
          assertThat(store.width()).isEqualTo(text.width());
          assertThat(store.values()).isEqualTo(text.targets());
          assertThat(store.keys()).hasSize(text.numPositions() * text.width());
          for (int i = 0; i < text.numPositions(); i++) {
            float[] key =
                Arrays.copyOfRange(store.keys(), i * text.width(), (i + 1) * text.width());
            float[] read = new float[text.width() + 1];
            store.readKeys(i, 1, read, 1);
            assertThat(Arrays.copyOfRange(read, 1, read.length)).isEqualTo(key);
            assertThat(key).isEqualTo(ScoredTexts.tap(text, ScoredTexts.windowOf(text, i), i));
          }
        });
  }
}
