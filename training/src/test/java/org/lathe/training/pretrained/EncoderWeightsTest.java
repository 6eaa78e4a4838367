package org.lathe.training.pretrained;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.weights.Weights;
import org.tensorflow.ndarray.Shape;

class EncoderWeightsTest {
  private static final String TOKENS = "embeddings.word_embeddings.weight";
  private static final float[] TABLE = {1, 2, 3, 4, 5, 6};
  private static final float[] TRANSPOSED = {1, 3, 5, 2, 4, 6};

  /** Exporters to ONNX fold the transposition and drop the name: it is called after its bias. */
  @ParameterizedTest
  @CsvSource({
    "BERT, cls.predictions.decoder.weight, false",
    "BERT, cls.predictions.weight, true",
    "ROBERTA, lm_head.decoder.weight, false",
    "ROBERTA, lm_head.weight, true",
    "DISTILBERT, vocab_projector.weight, true"
  })
  void anOutputProjectionIsTheTokenTableHoweverItLies(
      NamingStyle style, String decoder, boolean inOut) {
    NameMap map = new NameMap(style, "");
    EncoderWeights.requireTied(file(decoder, inOut, inOut ? TRANSPOSED : TABLE), map);
    assertThatThrownBy(() -> EncoderWeights.requireTied(file(decoder, inOut, new float[6]), map))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining(decoder)
        .hasMessageContaining("ties the two");
  }

  /** A file of a token table (3, 2) and an output projection. */
  private static TensorSource file(String decoder, boolean inOut, float[] values) {
    Weights arrays =
        new Weights()
            .put(TOKENS, Shape.of(3, 2), TABLE)
            .put(decoder, inOut ? Shape.of(2, 3) : Shape.of(3, 2), values);
    return new TensorSource() {
      @Override
      public Set<String> names() {
        return Set.copyOf(arrays.names());
      }

      @Override
      public Shape shape(String name) {
        return arrays.get(name).shape();
      }

      @Override
      public Weights.Array read(String name) {
        return arrays.get(name);
      }

      @Override
      public boolean liesInOut(String name) {
        return inOut && name.equals(decoder);
      }

      @Override
      public String place() {
        return "a file";
      }
    };
  }
}
