package org.lathe.export.latency;

import org.lathe.export.savedmodel.ServingGraph;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.ops.Masks;
import org.tensorflow.Operand;
import org.tensorflow.op.Ops;
import org.tensorflow.types.TFloat32;

/** What a kind of model does around its blocks when it is served. */
interface ServedKind {

  /** Additive mask of full rows, of the shape that this kind's attention is given. */
  Operand<TFloat32> mask(Ops tf, int batchSize, int length);

  /** The whole served model around these blocks. */
  ServingGraph serving(Ops tf, TransformerConfig config);

  /**
   * A decoder.
   *
   * @param memory of the model: its part of a served call is timed with the whole
   */
  static ServedKind languageModel(MemoryConfig memory) {
    return new ServedKind() {
      @Override
      public Operand<TFloat32> mask(Ops tf, int batchSize, int length) {
        return Masks.causal(tf, tf.constant(length));
      }

      @Override
      public ServingGraph serving(Ops tf, TransformerConfig config) {
        return ServingGraph.build(tf, config, memory);
      }
    };
  }

  /**
   * An encoder with the head of a task.
   *
   * @param encoder embeddings and pooler, which stand around any blocks
   */
  static ServedKind encoder(EncoderConfig encoder, HeadConfig head) {
    return new ServedKind() {
      @Override
      public Operand<TFloat32> mask(Ops tf, int batchSize, int length) {
        return Masks.padding(
            tf, tf.fill(tf.constant(new int[] {batchSize, length}), tf.constant(1)));
      }

      @Override
      public ServingGraph serving(Ops tf, TransformerConfig config) {
        return ServingGraph.build(tf, encoder.withTransformer(config), head);
      }
    };
  }
}
