package org.lathe.training.pretrained;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.LocalStorage;
import org.tensorflow.ndarray.Shape;

/** Small encoders with the names of other projects, spelled out here a second time. */
final class ForeignEncoders {
  static final int VOCABULARY = 11;
  static final int HIDDEN = 8;
  static final int INTERMEDIATE = 12;
  static final int POSITIONS = 6;
  static final int LAYERS = 2;
  static final int HEADS = 2;
  static final String VOCAB_TXT = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\ncat\n##s\nsat\n.\n,\n";

  private ForeignEncoders() {}

  /** Random arrays under our names, with two token types, pooler and masked-LM head. */
  static Weights ours(long seed) {
    Random random = new Random(seed);
    Weights weights = new Weights();
    add(weights, random, "encoder/embedding/tokens", VOCABULARY, HIDDEN);
    add(weights, random, "encoder/embedding/positions", POSITIONS, HIDDEN);
    add(weights, random, "encoder/embedding/token_types", 2, HIDDEN);
    addNorm(weights, random, "encoder/embedding/norm");
    for (int i = 0; i < LAYERS; i++) {
      String layer = "encoder/layer_" + i + "/";
      for (String part : new String[] {"query", "key", "value", "output"}) {
        addLinear(weights, random, layer + "attention/" + part, HIDDEN, HIDDEN);
      }
      addNorm(weights, random, layer + "attention_norm");
      addLinear(weights, random, layer + "feed_forward/up", HIDDEN, INTERMEDIATE);
      addLinear(weights, random, layer + "feed_forward/down", INTERMEDIATE, HIDDEN);
      addNorm(weights, random, layer + "feed_forward_norm");
    }
    addLinear(weights, random, "encoder/pooler", HIDDEN, HIDDEN);
    addLinear(weights, random, "masked_lm/dense", HIDDEN, HIDDEN);
    addNorm(weights, random, "masked_lm/norm");
    add(weights, random, "masked_lm/bias", VOCABULARY);
    return weights;
  }

  /** Their name of one of our arrays; empty where they have none. */
  static String theirs(NamingStyle style, String ours) {
    return switch (style) {
      case BERT -> bert(ours, "bert.", "LayerNorm.weight", "LayerNorm.bias");
      case ROBERTA ->
          ours.startsWith("masked_lm")
              ? ours.replace("masked_lm/dense/kernel", "lm_head.dense.weight")
                  .replace("masked_lm/dense/bias", "lm_head.dense.bias")
                  .replace("masked_lm/norm/gain", "lm_head.layer_norm.weight")
                  .replace("masked_lm/norm/bias", "lm_head.layer_norm.bias")
                  .replace("masked_lm/bias", "lm_head.bias")
              : bert(ours, "roberta.", "LayerNorm.weight", "LayerNorm.bias");
      case DISTILBERT -> distilbert(ours);
      case GOOGLE -> google(ours);
    };
  }

  private static String bert(String ours, String prefix, String gain, String bias) {
    return ours.replace("encoder/embedding/tokens", prefix + "embeddings.word_embeddings.weight")
        .replace("encoder/embedding/positions", prefix + "embeddings.position_embeddings.weight")
        .replace(
            "encoder/embedding/token_types", prefix + "embeddings.token_type_embeddings.weight")
        .replace("encoder/embedding/norm/gain", prefix + "embeddings." + gain)
        .replace("encoder/embedding/norm/bias", prefix + "embeddings." + bias)
        .replace("encoder/layer_", prefix + "encoder.layer.")
        .replace("/attention_norm/gain", ".attention.output." + gain)
        .replace("/attention_norm/bias", ".attention.output." + bias)
        .replace("/feed_forward_norm/gain", ".output." + gain)
        .replace("/feed_forward_norm/bias", ".output." + bias)
        .replace("/attention/output/", ".attention.output.dense/")
        .replace("/attention/", ".attention.self.")
        .replace("/feed_forward/up", ".intermediate.dense")
        .replace("/feed_forward/down", ".output.dense")
        .replace("encoder/pooler", prefix + "pooler.dense")
        .replace("masked_lm/dense", "cls.predictions.transform.dense")
        .replace("masked_lm/norm/gain", "cls.predictions.transform." + gain)
        .replace("masked_lm/norm/bias", "cls.predictions.transform." + bias)
        .replace("masked_lm/bias", "cls.predictions.bias")
        .replace("/kernel", ".weight")
        .replace("/bias", ".bias");
  }

  private static String distilbert(String ours) {
    if (ours.contains("token_types") || ours.contains("pooler")) {
      return "";
    }
    return ours.replace("encoder/embedding/tokens", "distilbert.embeddings.word_embeddings.weight")
        .replace("encoder/embedding/positions", "distilbert.embeddings.position_embeddings.weight")
        .replace("encoder/embedding/norm", "distilbert.embeddings.LayerNorm")
        .replace("encoder/layer_", "distilbert.transformer.layer.")
        .replace("/attention_norm", ".sa_layer_norm")
        .replace("/feed_forward_norm", ".output_layer_norm")
        .replace("/attention/query", ".attention.q_lin")
        .replace("/attention/key", ".attention.k_lin")
        .replace("/attention/value", ".attention.v_lin")
        .replace("/attention/output", ".attention.out_lin")
        .replace("/feed_forward/up", ".ffn.lin1")
        .replace("/feed_forward/down", ".ffn.lin2")
        .replace("masked_lm/dense", "vocab_transform")
        .replace("masked_lm/norm", "vocab_layer_norm")
        .replace("masked_lm/bias", "vocab_projector/bias")
        .replace("/gain", ".weight")
        .replace("/kernel", ".weight")
        .replace("/bias", ".bias");
  }

  private static String google(String ours) {
    return "module/"
        + ours.replace("encoder/embedding/tokens", "bert/embeddings/word_embeddings")
            .replace("encoder/embedding/positions", "bert/embeddings/position_embeddings")
            .replace("encoder/embedding/token_types", "bert/embeddings/token_type_embeddings")
            .replace("encoder/embedding/norm", "bert/embeddings/LayerNorm")
            .replace("encoder/layer_", "bert/encoder/layer_")
            .replace("/attention_norm", "/attention/output/LayerNorm")
            .replace("/feed_forward_norm", "/output/LayerNorm")
            .replace("/attention/output/kernel", "/attention/output/dense/kernel")
            .replace("/attention/output/bias", "/attention/output/dense/bias")
            .replace("/attention/query", "/attention/self/query")
            .replace("/attention/key", "/attention/self/key")
            .replace("/attention/value", "/attention/self/value")
            .replace("/feed_forward/up", "/intermediate/dense")
            .replace("/feed_forward/down", "/output/dense")
            .replace("encoder/pooler", "bert/pooler/dense")
            .replace("masked_lm/dense", "cls/predictions/transform/dense")
            .replace("masked_lm/norm", "cls/predictions/transform/LayerNorm")
            .replace("masked_lm/bias", "cls/predictions/output_bias")
            .replace("LayerNorm/gain", "LayerNorm/gamma")
            .replace("LayerNorm/bias", "LayerNorm/beta");
  }

  /** Their arrays: PyTorch's kernels are (out, in), Google's (in, out). */
  static Weights foreign(NamingStyle style, Weights ours) {
    Weights foreign = new Weights();
    for (String name : ours.names()) {
      String theirs = theirs(style, name);
      Weights.Array array = ours.get(name);
      if (theirs.isEmpty()) {
        continue;
      }
      if (name.endsWith("/kernel") && style != NamingStyle.GOOGLE) {
        int in = (int) array.shape().get(0);
        int out = (int) array.shape().get(1);
        float[] turned = new float[in * out];
        for (int i = 0; i < in; i++) {
          for (int o = 0; o < out; o++) {
            turned[o * in + i] = array.values()[i * out + o];
          }
        }
        foreign.put(theirs, Shape.of(out, in), turned);
      } else {
        foreign.put(theirs, array.shape(), array.values());
      }
    }
    return foreign;
  }

  static String config(NamingStyle style) {
    return switch (style) {
      case BERT, GOOGLE ->
          """
          {"model_type": "bert", "vocab_size": 11, "hidden_size": 8, "num_hidden_layers": 2,
           "num_attention_heads": 2, "intermediate_size": 12, "max_position_embeddings": 6,
           "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
           "hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.3}""";
      case ROBERTA ->
          """
          {"model_type": "roberta", "vocab_size": 11, "hidden_size": 8, "num_hidden_layers": 2,
           "num_attention_heads": 2, "intermediate_size": 12, "max_position_embeddings": 6,
           "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-5, "pad_token_id": 1}""";
      case DISTILBERT ->
          """
          {"model_type": "distilbert", "vocab_size": 11, "dim": 8, "n_layers": 2, "n_heads": 2,
           "hidden_dim": 12, "max_position_embeddings": 6, "activation": "gelu", "dropout": 0.2,
           "attention_dropout": 0.3}""";
    };
  }

  /** A Hugging Face directory. */
  static Path huggingFace(Path directory, NamingStyle style, Weights foreign) throws IOException {
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("config.json"), config(style));
    Files.writeString(directory.resolve("vocab.txt"), VOCAB_TXT);
    SafetensorsWriter.write(LocalStorage.INSTANCE, directory.resolve("model.safetensors"), foreign);
    return directory;
  }

  /** An ONNX file as exporters write it: nameless matrices lie (in, out), the pooler (out, in). */
  static byte[] onnx(Weights ours) {
    List<byte[]> nodes = new ArrayList<>(OnnxReaderTest.attention(HEADS, HIDDEN / HEADS));
    List<byte[]> tensors = new ArrayList<>();
    for (String name : ours.names()) {
      if (name.startsWith("masked_lm")) {
        continue;
      }
      Weights.Array array = ours.get(name);
      String theirs = theirs(NamingStyle.BERT, name).replace("bert.", "");
      if (!name.endsWith("/kernel") || name.contains("pooler")) {
        Weights.Array stored = foreign(NamingStyle.BERT, ours).get(theirs(NamingStyle.BERT, name));
        tensors.add(OnnxFiles.floats(theirs, stored.shape().asArray(), stored.values()));
        continue;
      }
      String path =
          "/"
              + theirs
                  .substring(0, theirs.length() - ".weight".length())
                  .replace(".layer.", "/layer#")
                  .replace('.', '/')
                  .replace('#', '.');
      String matrix = "onnx::MatMul_" + nodes.size();
      tensors.add(OnnxFiles.floats(matrix, array.shape().asArray(), array.values()));
      nodes.add(
          OnnxFiles.node(
              "MatMul",
              path + "/MatMul",
              List.of("x", matrix),
              List.of(path + "/MatMul_output_0")));
    }
    nodes.add(
        OnnxFiles.node(
            "Gemm",
            "/pooler/dense/Gemm",
            List.of("x", "pooler.dense.weight", "pooler.dense.bias"),
            List.of("g"),
            OnnxFiles.number("transB", 1)));
    return OnnxFiles.model(OnnxFiles.graph(nodes, tensors));
  }

  private static void addLinear(Weights weights, Random random, String name, int in, int out) {
    add(weights, random, name + "/kernel", in, out);
    add(weights, random, name + "/bias", out);
  }

  private static void addNorm(Weights weights, Random random, String name) {
    add(weights, random, name + "/gain", HIDDEN);
    add(weights, random, name + "/bias", HIDDEN);
  }

  private static void add(Weights weights, Random random, String name, long... sizes) {
    Shape shape = Shape.of(sizes);
    float[] values = new float[(int) shape.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    weights.put(name, shape, values);
  }
}
