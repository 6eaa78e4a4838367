package org.lathe.export.format;

/**
 * The names that a client of an exported language model sees; {@link EncoderSignatures} has those
 * of encoders.
 */
public final class SignatureNames {
  /** int32 ids [B, T] to the log-probabilities of the next token [B, V]. */
  public static final String NEXT_TOKEN = "serving_default";

  /** The same from int64 ids: TensorFlow Serving's gRPC compares types exactly. */
  public static final String NEXT_TOKEN_INT64 = "serving_int64";

  /** int32 ids [B, T] to the log-probability of each given next token [B, T - 1]. */
  public static final String SCORE = "score";

  public static final String INPUT = "input_ids";
  public static final String OUTPUT = "log_probabilities";

  /**
   * With an external memory: the part of the probability that comes from memory, local or external,
   * [B].
   */
  public static final String MEMORY_SHARE = "memory_share";

  /** Document of each item that was found, best first, int64 [B, K]; -1 = none. */
  public static final String RETRIEVED_DOCUMENTS = "retrieved_documents";

  /** Position in that document of the token that the item read last, int64 [B, K]; -1 = none. */
  public static final String RETRIEVED_POSITIONS = "retrieved_positions";

  /** The token that followed there, int32 [B, K]; -1 = none. */
  public static final String RETRIEVED_TOKENS = "retrieved_tokens";

  /** s of each item, before any temperature, [B, K]; -1e30 = none. */
  public static final String RETRIEVED_SCORES = "retrieved_scores";

  /** The part of the probability, over all tokens, that comes from each item, [B, K]. */
  public static final String RETRIEVED_SHARES = "retrieved_shares";

  /** TensorFlow Serving answers predict requests only for this method name. */
  public static final String METHOD = "tensorflow/serving/predict";

  /** The tag that every server loads by. */
  public static final String TAG = "serve";

  private SignatureNames() {}
}
