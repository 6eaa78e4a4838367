package org.lathe.graphs.config;

import com.google.common.base.Preconditions;

/**
 * What an encoder is asked for: what stands on its outputs.
 *
 * @param kind of head
 * @param numClasses C of a classifier, 1 for regression; 0 in the other kinds
 * @param denseSize width of a classifier's own dense layer, which no gate closes, so that a slim
 *     encoder's head keeps the full one's; 0 in kinds without
 */
public record HeadConfig(Kind kind, int numClasses, int denseSize) {

  /** Heads as the checkpoints of the BERT family have them. */
  public enum Kind {
    /** BERT: linear on the pooled output. */
    POOLED_CLASSIFIER("classifier"),
    /** RoBERTa: dense, tanh, linear on the first position. */
    TANH_CLASSIFIER("classifier"),
    /** DistilBERT: dense, ReLU, linear on the first position. */
    RELU_CLASSIFIER("classifier"),
    /** Start and end of an answer. */
    SPAN("span"),
    /** The token that stood where a mask is; output tied to the token table. */
    MASKED_LM("masked_lm");

    private final String prefix;

    Kind(String prefix) {
      this.prefix = prefix;
    }

    /** First part of the names of the head's variables. */
    public String prefix() {
      return prefix;
    }

    public boolean classifies() {
      return prefix.equals("classifier");
    }

    /** Whether the head has a dense layer of its own width. */
    public boolean hasDense() {
      return this == TANH_CLASSIFIER || this == RELU_CLASSIFIER;
    }
  }

  /** The span head, start and end logits. */
  public static final HeadConfig SPAN = new HeadConfig(Kind.SPAN, 0, 0);

  /** The masked-LM head. */
  public static final HeadConfig MASKED_LM = new HeadConfig(Kind.MASKED_LM, 0, 0);

  public HeadConfig {
    Preconditions.checkArgument(
        kind.classifies() ? numClasses >= 1 : numClasses == 0,
        "a head of kind %s has numClasses %s",
        kind,
        numClasses);
    Preconditions.checkArgument(
        kind.hasDense() ? denseSize >= 1 : denseSize == 0,
        "a head of kind %s has denseSize %s",
        kind,
        denseSize);
  }

  /**
   * The classifier that an encoder's family has: on the pooler where there is one, else
   * DistilBERT's where there are no token types, else RoBERTa's.
   *
   * @param numClasses C; 1 for regression
   */
  public static HeadConfig classifier(EncoderConfig encoder, int numClasses) {
    if (encoder.hasPooler()) {
      return new HeadConfig(Kind.POOLED_CLASSIFIER, numClasses, 0);
    }
    return new HeadConfig(
        encoder.numTokenTypes() == 0 ? Kind.RELU_CLASSIFIER : Kind.TANH_CLASSIFIER,
        numClasses,
        encoder.transformer().hiddenSize());
  }
}
