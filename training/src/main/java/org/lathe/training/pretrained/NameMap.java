package org.lathe.training.pretrained;

import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.models.Encoder;
import org.tensorflow.ndarray.Shape;

/**
 * Lathe's names of an encoder's arrays beside those of foreign checkpoints, with their shapes. One
 * table in both directions.
 *
 * @param style whose names
 * @param prefix of the encoder's own names, "bert." for instance; empty where there is none
 */
public record NameMap(NamingStyle style, String prefix) {
  private static final String TOKENS = "embeddings.word_embeddings";
  private static final String WEIGHT = ".weight";

  private static final String EMBEDDING = Encoder.PREFIX + "/embedding";
  private static final String POOLER = Encoder.PREFIX + "/pooler";
  private static final String MASKED_LM = HeadConfig.Kind.MASKED_LM.prefix();

  /** A part of a layer: our path, BERT's, DistilBERT's. */
  private record Part(String lathe, String bert, String distilbert) {}

  private static final ImmutableList<Part> LINEARS =
      ImmutableList.of(
          new Part("attention/query", "attention.self.query", "attention.q_lin"),
          new Part("attention/key", "attention.self.key", "attention.k_lin"),
          new Part("attention/value", "attention.self.value", "attention.v_lin"),
          new Part("attention/output", "attention.output.dense", "attention.out_lin"),
          new Part("feed_forward/up", "intermediate.dense", "ffn.lin1"),
          new Part("feed_forward/down", "output.dense", "ffn.lin2"));

  private static final Part ATTENTION_NORM =
      new Part("attention_norm", "attention.output.LayerNorm", "sa_layer_norm");
  private static final Part FEED_FORWARD_NORM =
      new Part("feed_forward_norm", "output.LayerNorm", "output_layer_norm");

  /**
   * One array.
   *
   * @param lathe our name
   * @param foreign its name there; the first of several spellings is the one that is written
   * @param shape ours
   * @param kernel whether it is a kernel, (in, out) here and (out, in) in PyTorch
   */
  public record Place(String lathe, List<String> foreign, Shape shape, boolean kernel) {}

  /**
   * Finds style and prefix by the token table.
   *
   * @param modelType of config.json, or null
   * @throws CorruptFileException when there is no such table, or more than one
   */
  public static NameMap detect(TensorSource source, @Nullable String modelType) {
    List<String> prefixes = new ArrayList<>();
    boolean google = false;
    for (String name : source.names()) {
      for (String table : new String[] {TOKENS + WEIGHT, TOKENS.replace('.', '/')}) {
        int start = name.length() - table.length();
        if (name.endsWith(table) && (start == 0 || "./".indexOf(name.charAt(start - 1)) >= 0)) {
          prefixes.add(name.substring(0, start));
          google |= table.indexOf('/') >= 0;
        }
      }
    }
    if (prefixes.size() != 1) {
      throw new CorruptFileException(
          "%s holds %d token tables of an encoder of the BERT family (%s%s or %s), expected one; Lathe imports BERT, RoBERTa and DistilBERT."
              .formatted(
                  source.place(), prefixes.size(), TOKENS, WEIGHT, TOKENS.replace('.', '/')));
    }
    String prefix = prefixes.get(0);
    return new NameMap(google ? NamingStyle.GOOGLE : style(source, prefix, modelType), prefix);
  }

  private static NamingStyle style(TensorSource source, String prefix, @Nullable String modelType) {
    if (source.names().contains(prefix + "transformer.layer.0.attention.q_lin.bias")) {
      return NamingStyle.DISTILBERT;
    }
    String tokenTypes = new NameMap(NamingStyle.BERT, prefix).tokenTypeTable();
    boolean oneTokenType =
        source.names().contains(tokenTypes)
            && source.shape(tokenTypes).numDimensions() == 2
            && source.shape(tokenTypes).get(0) == 1;
    // BERT tells two texts apart by their type, RoBERTa has one for all
    boolean roberta =
        modelType == null
            ? oneTokenType
                || prefix.endsWith("roberta.")
                || source.names().contains("lm_head.dense.bias")
            : HfConfig.isRoberta(modelType);
    return roberta ? NamingStyle.ROBERTA : NamingStyle.BERT;
  }

  /** Number of layers, from 0 on without a gap. */
  int numLayers(TensorSource source) {
    int layer = 0;
    while (source.names().contains(linear(layer, LINEARS.get(0), "bias"))) {
      layer++;
    }
    return layer;
  }

  /** Foreign name of the token table. */
  String tokenTable() {
    return table(TOKENS);
  }

  String positionTable() {
    return table("embeddings.position_embeddings");
  }

  String tokenTypeTable() {
    return table("embeddings.token_type_embeddings");
  }

  /** Foreign name of the first layer's up bias, (intermediate). */
  String upBias() {
    return linear(0, LINEARS.get(4), "bias");
  }

  String poolerBias() {
    return spelled(prefix, "pooler.dense", "bias");
  }

  /** Foreign name of the masked-LM head's dense bias, by which one knows that there is a head. */
  String maskedLmBias() {
    return spelled(headPrefix(), maskedLmModule("dense"), "bias");
  }

  /**
   * Foreign names of an output projection that must equal the token table: its own, and that by
   * which the reader of an ONNX file calls a matrix after its bias.
   */
  List<String> decoders() {
    return switch (style) {
      case BERT ->
          ImmutableList.of(
              headPrefix() + "cls.predictions.decoder.weight",
              headPrefix() + "cls.predictions.weight");
      case ROBERTA ->
          ImmutableList.of(
              headPrefix() + "lm_head.decoder.weight", headPrefix() + "lm_head.weight");
      case DISTILBERT -> ImmutableList.of(headPrefix() + "vocab_projector.weight");
      case GOOGLE -> ImmutableList.of();
    };
  }

  /** All arrays of an encoder, in the order in which it declares them. */
  public List<Place> encoder(EncoderConfig config) {
    TransformerConfig transformer = config.transformer();
    int hiddenSize = transformer.hiddenSize();
    List<Place> places = new ArrayList<>();
    addTable(places, "tokens", tokenTable(), Shape.of(transformer.vocabularySize(), hiddenSize));
    addTable(
        places, "positions", positionTable(), Shape.of(transformer.maxPositions(), hiddenSize));
    if (config.numTokenTypes() > 0) {
      addTable(
          places, "token_types", tokenTypeTable(), Shape.of(config.numTokenTypes(), hiddenSize));
    }
    addNorm(places, EMBEDDING + "/norm", prefix, "embeddings.LayerNorm", hiddenSize);
    for (int layer = 0; layer < transformer.numLayers(); layer++) {
      String ours = Encoder.PREFIX + "/layer_" + layer + "/";
      int attentionSize = transformer.blocks().get(layer).numHeads() * transformer.headSize();
      int intermediateSize = transformer.blocks().get(layer).intermediateSize();
      int[][] sizes = {
        {hiddenSize, attentionSize},
        {hiddenSize, attentionSize},
        {hiddenSize, attentionSize},
        {attentionSize, hiddenSize},
        {hiddenSize, intermediateSize},
        {intermediateSize, hiddenSize}
      };
      for (int i = 0; i < LINEARS.size(); i++) {
        Part part = LINEARS.get(i);
        places.add(
            new Place(
                ours + part.lathe() + "/kernel",
                ImmutableList.of(linear(layer, part, "kernel")),
                Shape.of(sizes[i][0], sizes[i][1]),
                true));
        places.add(
            new Place(
                ours + part.lathe() + "/bias",
                ImmutableList.of(linear(layer, part, "bias")),
                Shape.of(sizes[i][1]),
                false));
      }
      for (Part norm : new Part[] {ATTENTION_NORM, FEED_FORWARD_NORM}) {
        addNorm(places, ours + norm.lathe(), layerPrefix(layer), module(norm), hiddenSize);
      }
    }
    if (config.hasPooler()) {
      addLinear(places, POOLER, prefix, "pooler.dense", hiddenSize, config.poolerSize());
    }
    return places;
  }

  /**
   * All arrays of a head, under the names of the family's own class for its task.
   *
   * @throws org.lathe.graphs.errors.FailedException when the family has no such head
   */
  List<Place> head(EncoderConfig config, HeadConfig head) {
    if (head.kind() == HeadConfig.Kind.MASKED_LM) {
      return maskedLm(config);
    }
    int hiddenSize = config.transformer().hiddenSize();
    String ours = head.kind().prefix();
    List<Place> places = new ArrayList<>();
    if (head.kind() == HeadConfig.Kind.SPAN) {
      addLinear(places, ours + "/output", "", "qa_outputs", hiddenSize, 2);
      return places;
    }
    // BERT's pooler is a dense layer with tanh on the first position, as RoBERTa's classifier has
    String dense =
        switch (head.kind()) {
          case POOLED_CLASSIFIER -> style == NamingStyle.DISTILBERT ? null : "";
          case TANH_CLASSIFIER ->
              switch (style) {
                case BERT -> prefix + "pooler.dense";
                case ROBERTA -> "classifier.dense";
                default -> null;
              };
          default -> style == NamingStyle.DISTILBERT ? "pre_classifier" : null;
        };
    if (dense == null) {
      throw HfConfig.refused("its family has no head of kind " + head.kind());
    }
    int inputSize = config.poolerSize();
    if (head.kind() == HeadConfig.Kind.POOLED_CLASSIFIER && style == NamingStyle.ROBERTA) {
      // whose own class has no pooler, but the same layer in its classifier
      addLinear(places, POOLER, "", "classifier.dense", hiddenSize, config.poolerSize());
    }
    if (head.kind().hasDense()) {
      addLinear(places, ours + "/dense", "", dense, hiddenSize, head.denseSize());
      inputSize = head.denseSize();
    }
    String output = style == NamingStyle.ROBERTA ? "classifier.out_proj" : "classifier";
    addLinear(places, ours + "/output", "", output, inputSize, head.numClasses());
    return places;
  }

  /** All arrays of the masked-LM head but the token table. */
  public List<Place> maskedLm(EncoderConfig config) {
    int hiddenSize = config.transformer().hiddenSize();
    List<Place> places = new ArrayList<>();
    String head = headPrefix();
    addLinear(places, MASKED_LM + "/dense", head, maskedLmModule("dense"), hiddenSize, hiddenSize);
    addNorm(places, MASKED_LM + "/norm", head, maskedLmModule("norm"), hiddenSize);
    List<String> bias =
        switch (style) {
          case BERT -> ImmutableList.of("cls.predictions.bias", "cls.predictions.decoder.bias");
          case ROBERTA -> ImmutableList.of("lm_head.bias", "lm_head.decoder.bias");
          case DISTILBERT -> ImmutableList.of("vocab_projector.bias");
          case GOOGLE -> ImmutableList.of("cls/predictions/output_bias");
        };
    places.add(
        new Place(
            MASKED_LM + "/bias",
            bias.stream().map(name -> head + name).toList(),
            Shape.of(config.transformer().vocabularySize()),
            false));
    return places;
  }

  private String maskedLmModule(String part) {
    boolean dense = part.equals("dense");
    return switch (style) {
      case BERT, GOOGLE ->
          dense ? "cls.predictions.transform.dense" : "cls.predictions.transform.LayerNorm";
      case ROBERTA -> dense ? "lm_head.dense" : "lm_head.layer_norm";
      case DISTILBERT -> dense ? "vocab_transform" : "vocab_layer_norm";
    };
  }

  /** Heads stand beside the encoder and not in it: "bert." falls away, "module/" stays. */
  private String headPrefix() {
    for (String own : new String[] {"distilbert.", "roberta.", "bert.", "bert/"}) {
      if (prefix.endsWith(own)) {
        return prefix.substring(0, prefix.length() - own.length());
      }
    }
    return prefix;
  }

  private String table(String module) {
    return style == NamingStyle.GOOGLE
        ? prefix + module.replace('.', '/')
        : prefix + module + WEIGHT;
  }

  private void addTable(List<Place> places, String lathe, String foreign, Shape shape) {
    places.add(new Place(EMBEDDING + "/" + lathe, ImmutableList.of(foreign), shape, false));
  }

  private void addLinear(
      List<Place> places, String lathe, String before, String module, int in, int out) {
    places.add(
        new Place(
            lathe + "/kernel",
            ImmutableList.of(spelled(before, module, "kernel")),
            Shape.of(in, out),
            true));
    places.add(
        new Place(
            lathe + "/bias",
            ImmutableList.of(spelled(before, module, "bias")),
            Shape.of(out),
            false));
  }

  /** The oldest checkpoints call gain and bias of norms gamma and beta. */
  private void addNorm(
      List<Place> places, String lathe, String before, String module, int hiddenSize) {
    String[][] leaves =
        style == NamingStyle.GOOGLE
            ? new String[][] {{"gamma"}, {"beta"}}
            : new String[][] {{"kernel", "gamma"}, {"bias", "beta"}};
    for (int i = 0; i < leaves.length; i++) {
      ImmutableList.Builder<String> names = ImmutableList.builder();
      for (String leaf : leaves[i]) {
        names.add(spelled(before, module, leaf));
      }
      places.add(
          new Place(
              lathe + (i == 0 ? "/gain" : "/bias"), names.build(), Shape.of(hiddenSize), false));
    }
  }

  private String linear(int layer, Part part, String leaf) {
    return spelled(layerPrefix(layer), module(part), leaf);
  }

  private String layerPrefix(int layer) {
    return switch (style) {
      case BERT, ROBERTA -> prefix + "encoder.layer." + layer + ".";
      case DISTILBERT -> prefix + "transformer.layer." + layer + ".";
      case GOOGLE -> prefix + "encoder/layer_" + layer + "/";
    };
  }

  private String module(Part part) {
    return style == NamingStyle.DISTILBERT ? part.distilbert() : part.bert();
  }

  private String spelled(String before, String module, String leaf) {
    return style == NamingStyle.GOOGLE
        ? before + module.replace('.', '/') + "/" + leaf
        : before + module + (leaf.equals("kernel") ? WEIGHT : "." + leaf);
  }
}
