package org.lathe.export.format;

/**
 * The names that a client of an exported encoder sees. Every signature takes the ids, {@link
 * SignatureNames#INPUT}; shapes below have B rows and T tokens.
 */
public final class EncoderSignatures {
  /** int32 ids, mask and types. */
  public static final String SERVING = SignatureNames.NEXT_TOKEN;

  /** The same from int64: TensorFlow Serving's gRPC compares types exactly. */
  public static final String SERVING_INT64 = SignatureNames.NEXT_TOKEN_INT64;

  /** int32 ids alone: what is not the padding id is a token, and all tokens have type 0. */
  public static final String IDS_ONLY = "ids_only";

  /** 1 for a token, 0 for padding: [B, T]. */
  public static final String ATTENTION_MASK = "attention_mask";

  /** 0 for the first text, 1 for the second: [B, T]. */
  public static final String TOKEN_TYPES = "token_type_ids";

  /** Of classification, [B, C]. */
  public static final String LOGITS = "logits";

  /** Softmax of the logits, [B, C]. */
  public static final String PROBABILITIES = "probabilities";

  /** Of regression, [B]. */
  public static final String SCORE = "score";

  /** Where an answer starts and ends, [B, T]; about -10000 in padding. */
  public static final String START_LOGITS = "start_logits";

  public static final String END_LOGITS = "end_logits";

  private EncoderSignatures() {}
}
