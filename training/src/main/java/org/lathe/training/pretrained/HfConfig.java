package org.lathe.training.pretrained;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.IoGuard;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.Storage;

/**
 * Sizes of an encoder as Hugging Face's config.json and Google's bert_config.json give them.
 * DistilBERT has names of its own for the same things.
 */
final class HfConfig {
  static final int MAX_SIZE_BYTES = 1 << 20;

  /** No size of an encoder comes near; products of two stay far below overflow. */
  private static final long MAX_SIZE = 1 << 24;

  private static final int MAX_LAYERS = 1000;
  private static final List<String> ROBERTA = List.of("roberta", "xlm-roberta", "camembert");
  private static final double BERT_DROPOUT = 0.1;

  private final Path file;
  private final Map<String, Object> fields;

  private HfConfig(Path file, Map<String, Object> fields) {
    this.file = file;
    this.fields = fields;
  }

  static boolean isRoberta(String modelType) {
    return ROBERTA.contains(modelType);
  }

  /**
   * @throws CorruptFileException when it is no JSON object, or larger than such a file is
   * @throws FailedException when the disk fails
   */
  static HfConfig read(Storage storage, Path file) {
    long sizeBytes = IoGuard.call(storage, "read", file, () -> storage.size(file));
    if (sizeBytes > MAX_SIZE_BYTES) {
      throw new CorruptFileException(
          "%s: has %d bytes, the limit is %d; is it the right file?"
              .formatted(file, sizeBytes, MAX_SIZE_BYTES));
    }
    return new HfConfig(file, JsonFile.read(storage, file));
  }

  /** "bert" where the file does not say, as Google's does not. */
  String modelType() {
    return fields.get("model_type") instanceof String text ? text : "bert";
  }

  String activation() {
    Object name = distil() ? fields.get("activation") : fields.get("hidden_act");
    return name instanceof String text ? text : "gelu";
  }

  /** Heads of every layer. */
  int numHeads() {
    return size(distil() ? "n_heads" : "num_attention_heads");
  }

  /**
   * The encoder, without a pooler.
   *
   * @throws CorruptFileException when a size is missing or impossible, or the encoder has something
   *     that Lathe's have not
   */
  EncoderConfig encoder() {
    String type = modelType();
    if (!type.equals("bert") && !distil() && !isRoberta(type)) {
      throw corrupt("is a '" + type + "', expected bert, distilbert or one of " + ROBERTA);
    }
    requirePlain();
    int numLayers = size(distil() ? "n_layers" : "num_hidden_layers");
    int hiddenSize = size(distil() ? "dim" : "hidden_size");
    if (numLayers > MAX_LAYERS || hiddenSize % numHeads() != 0) {
      throw corrupt(
          "has %d layers and %d heads for a hidden size of %d, expected at most %d layers and a divisor"
              .formatted(numLayers, numHeads(), hiddenSize, MAX_LAYERS));
    }
    int maxPositions = size("max_position_embeddings");
    EncoderConfig config =
        EncoderConfig.bert(
            size("vocab_size"),
            hiddenSize,
            numLayers,
            numHeads(),
            size(distil() ? "hidden_dim" : "intermediate_size"),
            maxPositions);
    int offset = isRoberta(type) ? (int) whole("pad_token_id", 1, 0, maxPositions - 2L) + 1 : 0;
    int numTokenTypes = distil() ? 0 : (int) whole("type_vocab_size", 2, 0, MAX_SIZE);
    TransformerConfig transformer =
        config
            .transformer()
            .withDropout(rate(distil() ? "dropout" : "hidden_dropout_prob"))
            .withInnerDropout(
                new TransformerConfig.InnerDropout(
                    rate(distil() ? "attention_dropout" : "attention_probs_dropout_prob"), 0));
    return config
        .withTransformer(transformer)
        .withEmbeddings(numTokenTypes, offset)
        .withPooler(0)
        .withNormEpsilon(epsilon());
  }

  /** The fields of an encoder that {@link HfDirectoryWriter} writes. */
  static Map<String, Object> fields(
      EncoderConfig config, NamingStyle style, @Nullable EncoderHead head) {
    TransformerConfig transformer = config.transformer();
    Map<String, Object> fields = new TreeMap<>();
    TransformerConfig.@Nullable InnerDropout inner = transformer.innerDropout();
    double attentionDropout = inner == null ? transformer.dropout() : inner.attention();
    boolean distil = style == NamingStyle.DISTILBERT;
    String family =
        switch (style) {
          case DISTILBERT -> "DistilBert";
          case ROBERTA -> "Roberta";
          default -> "Bert";
        };
    fields.put("model_type", family.toLowerCase(Locale.ROOT));
    fields.put("architectures", List.of(family + (head == null ? "Model" : suffix(head.config()))));
    if (head != null && head.config().kind().classifies()) {
      fields.putAll(classes(head));
    }
    fields.put("vocab_size", transformer.vocabularySize());
    fields.put(distil ? "dim" : "hidden_size", transformer.hiddenSize());
    fields.put(distil ? "n_layers" : "num_hidden_layers", transformer.numLayers());
    fields.put(distil ? "n_heads" : "num_attention_heads", transformer.blocks().get(0).numHeads());
    fields.put(
        distil ? "hidden_dim" : "intermediate_size",
        transformer.blocks().get(0).intermediateSize());
    fields.put(
        distil ? "activation" : "hidden_act",
        switch (transformer.activation()) {
          case RELU -> "relu";
          case GELU -> "gelu";
          case GELU_TANH -> "gelu_new";
        });
    fields.put("max_position_embeddings", transformer.maxPositions());
    fields.put(distil ? "dropout" : "hidden_dropout_prob", transformer.dropout());
    fields.put(distil ? "attention_dropout" : "attention_probs_dropout_prob", attentionDropout);
    fields.put("pad_token_id", config.positionOffset() == 0 ? 0 : config.positionOffset() - 1);
    if (!distil) {
      fields.put("layer_norm_eps", transformer.normEpsilon());
      fields.put("type_vocab_size", config.numTokenTypes());
      fields.put("position_embedding_type", "absolute");
    }
    fields.put("torch_dtype", "float32");
    return fields;
  }

  private static String suffix(HeadConfig head) {
    return switch (head.kind()) {
      case POOLED_CLASSIFIER, TANH_CLASSIFIER, RELU_CLASSIFIER -> "ForSequenceClassification";
      case SPAN -> "ForQuestionAnswering";
      case MASKED_LM -> "ForMaskedLM";
    };
  }

  /** Names of the classes in both directions; one class is a number that is predicted. */
  private static Map<String, Object> classes(EncoderHead head) {
    Map<String, Object> names = new TreeMap<>();
    Map<String, Object> ids = new TreeMap<>();
    for (int id = 0; id < head.config().numClasses(); id++) {
      String name = head.labels().isEmpty() ? "LABEL_" + id : head.labels().get(id);
      names.put(Integer.toString(id), name);
      ids.put(name, id);
    }
    String problem = head.config().numClasses() == 1 ? "regression" : "single_label_classification";
    return Map.of("id2label", names, "label2id", ids, "problem_type", problem);
  }

  /** For an encoder that no such configuration describes. */
  static FailedException refused(String reason) {
    return new FailedException(
        "this encoder is no Hugging Face model: "
            + reason
            + "; a Hugging Face configuration has one shape for all layers, heads that fill the"
            + " hidden size and a pooler as wide. Export it as a SavedModel instead");
  }

  private boolean distil() {
    return modelType().equals("distilbert");
  }

  private void requirePlain() {
    Object positions = fields.getOrDefault("position_embedding_type", "absolute");
    if (!positions.equals("absolute")) {
      throw corrupt("has position_embedding_type " + positions + ", Lathe has absolute ones only");
    }
    for (String flag : new String[] {"is_decoder", "add_cross_attention"}) {
      if (Boolean.TRUE.equals(fields.get(flag))) {
        throw corrupt("has " + flag + ", expected an encoder without it");
      }
    }
    if (fields.get("pruned_heads") instanceof Map<?, ?> heads && !heads.isEmpty()) {
      throw corrupt("has pruned_heads, which Lathe does not import");
    }
  }

  private double epsilon() {
    Object value = fields.get("layer_norm_eps");
    if (value == null || distil()) {
      return EncoderConfig.BERT_NORM_EPSILON;
    }
    if (!(value instanceof Number number)
        || !(number.doubleValue() > 0)
        || !(number.doubleValue() < 1)) {
      throw corrupt("has layer_norm_eps " + value + ", expected a number in (0, 1)");
    }
    return number.doubleValue();
  }

  private double rate(String key) {
    Object value = fields.getOrDefault(key, BERT_DROPOUT);
    if (!(value instanceof Number number)
        || !(number.doubleValue() >= 0)
        || !(number.doubleValue() < 1)) {
      throw corrupt("has " + key + " " + value + ", expected a number in [0, 1)");
    }
    return number.doubleValue();
  }

  private int size(String key) {
    return (int) whole(key, -1, 1, MAX_SIZE);
  }

  private long whole(String key, long otherwise, long least, long most) {
    Object value = fields.getOrDefault(key, otherwise);
    if (!(value instanceof Long number) || number < least || number > most) {
      throw corrupt(
          "has %s %s, expected a whole number from %d to %d"
              .formatted(key, fields.get(key), least, most));
    }
    return number;
  }

  private CorruptFileException corrupt(String what) {
    return new CorruptFileException(file + " " + what + ".");
  }
}
