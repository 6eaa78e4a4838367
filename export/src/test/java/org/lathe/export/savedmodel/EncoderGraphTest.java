package org.lathe.export.savedmodel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.lathe.export.EncoderFixtures;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.testdata.TestSession;
import org.tensorflow.Operand;
import org.tensorflow.Result;
import org.tensorflow.Tensor;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.types.TInt64;

/** How the inputs that are not fed come from those that are. */
final class EncoderGraphTest {
  private static final long BEYOND = (1L << 32) + 1;

  /** Cut to 32 bits, all of them would be 1, and the mask's last 0. */
  @Test
  void largeIntegersDoNotWrapRound() {
    try (TestSession session = new TestSession();
        Tensor ids = row(BEYOND, -BEYOND, 7);
        Tensor mask = row(BEYOND, 1, 1L << 32);
        Tensor types = row(BEYOND, -BEYOND, 1)) {
      EncoderGraph graph =
          new EncoderGraph(
              session.tf(), EncoderFixtures.bert(), HeadConfig.SPAN, EncoderFixtures.PADDING, null);
      List<NamedTensor> wide = graph.endpoints().get(1).inputs();
      List<NamedTensor> narrow = graph.endpoints().get(0).inputs();
      var runner = session.session().runner();
      List<Tensor> fed = List.of(ids, mask, types);
      for (int i = 0; i < fed.size(); i++) {
        runner.feed(operand(wide, i), fed.get(i)).fetch(operand(narrow, i));
      }
      try (Result result = runner.run()) {
        assertThat(ints(result.get(0))).containsExactly(EncoderFixtures.VOCABULARY, -1, 7);
        assertThat(ints(result.get(1))).containsExactly(1, 1, 1);
        assertThat(ints(result.get(2))).containsExactly(1, 0, 1);
      }
    }
  }

  private static Operand<?> operand(List<NamedTensor> tensors, int index) {
    return tensors.get(index).operand();
  }

  private static Tensor row(long... values) {
    return TInt64.tensorOf(Shape.of(1, values.length), DataBuffers.of(values, true, false));
  }

  private static int[] ints(Tensor tensor) {
    int[] values = new int[(int) tensor.shape().size()];
    tensor.asRawTensor().data().asInts().read(values);
    return values;
  }
}
