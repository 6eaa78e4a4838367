package org.lathe.export.format;

/** The names that a client of an exported language model sees. */
public final class SignatureNames {
  /** int32 ids [B, T] to the log-probabilities of the next token [B, V]. */
  public static final String NEXT_TOKEN = "serving_default";

  /** The same from int64 ids: TensorFlow Serving's gRPC compares types exactly. */
  public static final String NEXT_TOKEN_INT64 = "serving_int64";

  /** int32 ids [B, T] to the log-probability of each given next token [B, T - 1]. */
  public static final String SCORE = "score";

  public static final String INPUT = "input_ids";
  public static final String OUTPUT = "log_probabilities";

  /** TensorFlow Serving answers predict requests only for this method name. */
  public static final String METHOD = "tensorflow/serving/predict";

  /** The tag that every server loads by. */
  public static final String TAG = "serve";

  private SignatureNames() {}
}
