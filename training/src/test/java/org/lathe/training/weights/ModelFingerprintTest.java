package org.lathe.training.weights;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.hash.Hashing;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;
import org.tensorflow.ndarray.Shape;

class ModelFingerprintTest {
  private static final TransformerConfig MODEL = TransformerConfig.uniform(9, 8, 1, 2, 12, 6);

  /** Stores on disk name their model by it. */
  @Test
  void ofModelsWithoutLearnedKeysIsWhatItWasBeforeThereWereAny() {
    String before =
        "TransformerConfig[vocabularySize=9, hiddenSize=8, headSize=4,"
            + " blocks=[BlockShape[numHeads=2, intermediateSize=12]], maxPositions=6,"
            + " normPlacement=PRE, positions=SINUSOIDAL, activation=RELU, tiedOutput=true,"
            + " finalNorm=true, embeddingScale=2.8284271247461903, dropout=0.0, normEpsilon=1.0E-5,"
            + " innerDropout=null, adaptive=null]";
    assertThat(ModelFingerprint.of(MODEL, new Weights()))
        .isEqualTo(Hashing.sha256().hashString(before, StandardCharsets.UTF_8).toString());
  }

  @Test
  void tellsKeySizesAndProjectionsApart() {
    String without = ModelFingerprint.of(MODEL, kernel(0.5f));
    String with = ModelFingerprint.of(MODEL.withKeySize(4), kernel(0.5f));
    assertThat(with)
        .isNotEqualTo(without)
        .isNotEqualTo(ModelFingerprint.of(MODEL.withKeySize(5), kernel(0.5f)))
        .isNotEqualTo(ModelFingerprint.of(MODEL.withKeySize(4), kernel(0.25f)))
        .isEqualTo(ModelFingerprint.of(MODEL.withKeySize(4), kernel(0.5f)));
  }

  private static Weights kernel(float value) {
    return new Weights()
        .put("decoder/memory/projection/kernel", Shape.of(1, 1), new float[] {value});
  }
}
