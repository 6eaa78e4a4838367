package org.lathe.training.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.models.Encoder;
import org.lathe.graphs.variables.Variable;
import org.lathe.graphs.variables.VariableCatalog;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.text.HfTokenizer;
import org.lathe.training.text.TokenizerDefinition;
import org.lathe.training.weights.TensorBundle;
import org.tensorflow.Graph;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.op.Ops;

class PretrainedReaderTest {
  private static final LocalStorage DISK = LocalStorage.INSTANCE;

  @TempDir Path root;
  private final Weights ours = ForeignEncoders.ours(7);
  private Path directory;

  @BeforeEach
  void nameDirectory() {
    directory = root.resolve("model");
  }

  @ParameterizedTest
  @EnumSource(
      value = NamingStyle.class,
      names = {"BERT", "ROBERTA", "DISTILBERT"})
  void huggingFaceDirectoriesComeInAndGoOutAgain(NamingStyle style) throws IOException {
    ForeignEncoders.huggingFace(directory, style, ForeignEncoders.foreign(style, ours));
    PretrainedEncoder encoder = PretrainedReader.read(DISK, directory, OptionalInt.empty());
    requireOurs(encoder, style);
    EncoderConfig config = encoder.config();
    assertThat(config.positionOffset()).isEqualTo(style == NamingStyle.ROBERTA ? 2 : 0);
    assertThat(config.transformer().maxPositions()).isEqualTo(6);
    assertThat(config.transformer().normEpsilon())
        .isEqualTo(style == NamingStyle.ROBERTA ? 1e-5 : 1e-12);
    assertThat(config.transformer().dropout()).isEqualTo(style == NamingStyle.ROBERTA ? 0.1 : 0.2);
    assertThat(config.hasPooler()).isEqualTo(style != NamingStyle.DISTILBERT);

    Path out = root.resolve("out");
    HfDirectoryWriter.write(DISK, out, encoder);
    Weights foreign = ForeignEncoders.foreign(style, ours);
    SafetensorsReader written = SafetensorsReader.open(DISK, out.resolve("model.safetensors"));
    assertThat(written.names()).containsExactlyInAnyOrderElementsOf(foreign.names());
    for (String name : foreign.names()) {
      assertThat(written.read(name).values()).as(name).isEqualTo(foreign.get(name).values());
      assertThat(written.shape(name)).as(name).isEqualTo(foreign.get(name).shape());
    }
    assertThat(out.resolve("vocab.txt")).hasContent(ForeignEncoders.VOCAB_TXT);
    PretrainedEncoder again = PretrainedReader.read(DISK, out, OptionalInt.empty());
    assertThat(again.config()).isEqualTo(config);
    assertThat(again.tokenizerJson()).isEqualTo(encoder.tokenizerJson());
    requireOurs(again, style);
  }

  @Test
  void whatComesInIsWhatAnEncoderDeclares() throws IOException {
    ForeignEncoders.huggingFace(
        directory, NamingStyle.BERT, ForeignEncoders.foreign(NamingStyle.BERT, ours));
    PretrainedEncoder encoder = PretrainedReader.read(DISK, directory, OptionalInt.empty());
    try (Graph graph = new Graph()) {
      VariableCatalog catalog = new VariableCatalog(Ops.create(graph), 1);
      new Encoder(catalog, encoder.config());
      Map<String, Shape> declared = new LinkedHashMap<>();
      for (Variable variable : catalog.all()) {
        declared.put(variable.name(), variable.shape());
      }
      encoder.weights().requireExactly(declared, "import");
    }
  }

  @Test
  void oldNamesOfNormsAndModelsWithoutPrefixAreRead() throws IOException {
    Weights foreign = new Weights();
    Weights usual = ForeignEncoders.foreign(NamingStyle.BERT, ours);
    for (String name : usual.names()) {
      if (!name.startsWith("cls.")) {
        foreign.put(
            name.replace("bert.", "")
                .replace("LayerNorm.weight", "LayerNorm.gamma")
                .replace("LayerNorm.bias", "LayerNorm.beta"),
            usual.get(name).shape(),
            usual.get(name).values());
      }
    }
    foreign.put("classifier.weight", Shape.of(1), new float[1]);
    ForeignEncoders.huggingFace(directory, NamingStyle.BERT, foreign);
    PretrainedEncoder encoder = PretrainedReader.read(DISK, directory, OptionalInt.empty());
    assertThat(encoder.maskedLm()).isNull();
    requireEncoder(encoder, NamingStyle.BERT);
  }

  @Test
  void onnxFilesTellTheirSizes() throws IOException {
    Files.createDirectories(directory);
    Files.write(directory.resolve("m.onnx"), ForeignEncoders.onnx(ours));
    Files.writeString(
        directory.resolve("m-tokenizer.json"),
        TokenizerDefinition.fromVocabulary(ForeignEncoders.VOCAB_TXT.lines().toList(), true)
            .json());
    for (Path place : new Path[] {directory, directory.resolve("m.onnx")}) {
      PretrainedEncoder encoder = PretrainedReader.read(DISK, place, OptionalInt.empty());
      requireEncoder(encoder, NamingStyle.BERT);
      assertThat(encoder.config().transformer().blocks().get(0)).isEqualTo(new BlockShape(2, 12));
      assertThat(encoder.config().transformer().headSize()).isEqualTo(4);
      assertThat(encoder.config().transformer().normEpsilon()).isEqualTo(1e-12);
      assertThat(encoder.tokenizerJson()).contains("WordPiece");
      assertThat(encoder.notes()).anyMatch(note -> note.contains("2 heads from the graph"));
    }
    PretrainedEncoder set = PretrainedReader.read(DISK, directory, OptionalInt.of(4));
    assertThat(set.config().transformer().headSize()).isEqualTo(2);
    assertThatThrownBy(() -> PretrainedReader.read(DISK, directory, OptionalInt.of(3)))
        .isInstanceOf(ConfigException.class);
    // with one type of token it is a RoBERTa, whose positions count from 2
    int hidden = ForeignEncoders.HIDDEN;
    float[] oneType = Arrays.copyOf(ours.get("encoder/embedding/token_types").values(), hidden);
    Weights others =
        new Weights()
            .putAll(ours)
            .put("encoder/embedding/token_types", Shape.of(1, hidden), oneType);
    Files.write(directory.resolve("m.onnx"), ForeignEncoders.onnx(others));
    assertThat(
            PretrainedReader.read(DISK, directory, OptionalInt.empty()).config().positionOffset())
        .isEqualTo(2);
  }

  @Test
  void checkpointsOfGoogleComeInWithTheirHead() throws IOException {
    Files.createDirectories(directory);
    Path prefix = directory.resolve("bert_model.ckpt");
    TensorBundle.write(prefix, ForeignEncoders.foreign(NamingStyle.GOOGLE, ours));
    assertThatThrownBy(() -> PretrainedReader.read(DISK, prefix, OptionalInt.empty()))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("number of attention heads");
    requireOurs(PretrainedReader.read(DISK, prefix, OptionalInt.of(2)), NamingStyle.GOOGLE);
    Files.writeString(
        directory.resolve("bert_config.json"),
        ForeignEncoders.config(NamingStyle.BERT).replace("\"model_type\": \"bert\", ", ""));
    PretrainedEncoder encoder = PretrainedReader.read(DISK, prefix, OptionalInt.empty());
    requireOurs(encoder, NamingStyle.GOOGLE);
    assertThat(encoder.config().transformer().dropout()).isEqualTo(0.2);
  }

  @Test
  void shapesAreHeldAgainstTheConfiguration() throws IOException {
    Weights foreign = ForeignEncoders.foreign(NamingStyle.BERT, ours);
    ForeignEncoders.huggingFace(directory, NamingStyle.BERT, foreign);
    Path config = directory.resolve("config.json");
    String sound = Files.readString(config);
    String[][] changes = {
      {"\"vocab_size\": 11", "\"vocab_size\": 12", "[11, 8]"},
      {"\"intermediate_size\": 12", "\"intermediate_size\": 13", "[12, 8]"},
      {"\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3", "layer.2.attention"},
      {"\"type_vocab_size\": 2", "\"type_vocab_size\": 1", "[2, 8]"},
      {"\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1001", "1001"},
      {"\"num_attention_heads\": 2", "\"num_attention_heads\": 3", "3 heads"},
      {"\"hidden_size\": 8", "\"hidden_size\": -8", "hidden_size"},
      {"\"hidden_size\": 8", "\"hidden_size\": 8.5", "hidden_size"},
      {"\"hidden_size\": 8", "\"hidden_size\": 99999999999999999999", "out of range"},
      {"\"hidden_size\": 8", "\"hidden_sizes\": 8", "hidden_size"},
      {"\"bert\"", "\"gpt2\"", "gpt2"},
      {"\"gelu\"", "\"silu\"", "silu"},
      {"1e-12", "2", "layer_norm_eps"},
      {"0.2", "1.5", "hidden_dropout_prob"},
      {"\"model_type\"", "\"is_decoder\": true, \"model_type\"", "is_decoder"},
      {
        "\"model_type\"",
        "\"position_embedding_type\": \"relative_key\", \"model_type\"",
        "absolute"
      },
      {"\"model_type\"", "\"pruned_heads\": {\"0\": [1]}, \"model_type\"", "pruned_heads"},
      {"{", "{" + " ".repeat(HfConfig.MAX_SIZE_BYTES), "the limit"},
    };
    for (String[] change : changes) {
      Files.writeString(config, sound.replace(change[0], change[1]));
      refused(change[2]);
    }
    Files.writeString(config, sound + " ".repeat(HfConfig.MAX_SIZE_BYTES - sound.length()));
    PretrainedReader.read(DISK, directory, OptionalInt.empty());
  }

  @Test
  void missingAndUntiedArraysAreNamed() throws IOException {
    Weights foreign = ForeignEncoders.foreign(NamingStyle.BERT, ours);
    foreign.put(
        "cls.predictions.decoder.weight",
        Shape.of(11, 8),
        ours.get("encoder/embedding/tokens").values());
    ForeignEncoders.huggingFace(directory, NamingStyle.BERT, foreign);
    PretrainedReader.read(DISK, directory, OptionalInt.empty());
    foreign.put("cls.predictions.decoder.weight", Shape.of(11, 8), new float[88]);
    rewrite(foreign);
    refused("ties the two");
    Weights fewer = new Weights();
    foreign.names().stream()
        .filter(name -> !name.contains("decoder") && !name.contains("layer.1.output.dense"))
        .forEach(name -> fewer.put(name, foreign.get(name).shape(), foreign.get(name).values()));
    rewrite(fewer);
    refused("bert.encoder.layer.1.output.dense.weight is missing");
    rewrite(new Weights().put("wte.weight", Shape.of(2), new float[2]));
    refused("0 token tables");
    fewer.put("other.embeddings.word_embeddings.weight", Shape.of(1), new float[1]);
    rewrite(fewer);
    refused("2 token tables");
  }

  @ParameterizedTest
  @ValueSource(strings = {"pytorch_model.bin", "model.pt", "model.pth", "weights.pkl"})
  void picklesAreRefusedWithTheWayOut(String name) throws IOException {
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("config.json"), ForeignEncoders.config(NamingStyle.BERT));
    Files.write(directory.resolve(name), new byte[] {1});
    for (Path place : new Path[] {directory, directory.resolve(name)}) {
      assertThatThrownBy(() -> PretrainedReader.read(DISK, place, OptionalInt.empty()))
          .isInstanceOf(CorruptFileException.class)
          .hasMessageContaining("safe_serialization=True");
    }
  }

  @Test
  void placesWithoutACheckpointAreRefused() throws IOException {
    Files.createDirectories(directory);
    for (Path place : new Path[] {directory, root.resolve("absent"), root.resolve("a.onnx")}) {
      assertThatThrownBy(() -> PretrainedReader.read(DISK, place, OptionalInt.empty()))
          .isInstanceOf(ConfigException.class);
    }
    ForeignEncoders.huggingFace(
        root.resolve("real"), NamingStyle.BERT, ForeignEncoders.foreign(NamingStyle.BERT, ours));
    Files.createSymbolicLink(
        directory.resolve("model.safetensors"), root.resolve("real/model.safetensors"));
    refused("symbolic link");
    Files.delete(directory.resolve("model.safetensors"));
    Files.copy(root.resolve("real/model.safetensors"), directory.resolve("model.safetensors"));
    refused("no config.json");
  }

  @Test
  void tokenizersFitTheTable() throws IOException {
    ForeignEncoders.huggingFace(
        directory, NamingStyle.BERT, ForeignEncoders.foreign(NamingStyle.BERT, ours));
    PretrainedEncoder encoder = PretrainedReader.read(DISK, directory, OptionalInt.empty());
    try (HfTokenizer tokenizer = HfTokenizer.fromJson(encoder.tokenizerJson())) {
      assertThat(tokenizer.encode("The Cats sat, zzz.")).containsExactly(5, 6, 7, 8, 10, 1, 9);
    }
    Path vocabulary = directory.resolve("vocab.txt");
    Files.writeString(directory.resolve("tokenizer_config.json"), "{\"do_lower_case\": false}");
    encoder = PretrainedReader.read(DISK, directory, OptionalInt.empty());
    try (HfTokenizer tokenizer = HfTokenizer.fromJson(encoder.tokenizerJson())) {
      assertThat(tokenizer.encode("The cats")).containsExactly(1, 6, 7);
    }
    Files.writeString(vocabulary, ForeignEncoders.VOCAB_TXT + "more\n");
    refused("ids up to 11");
    Files.writeString(vocabulary, ForeignEncoders.VOCAB_TXT.replace("sat", "cat"));
    refused("not there before");
    Files.writeString(vocabulary, ForeignEncoders.VOCAB_TXT.replace("[SEP]", "sep"));
    refused("no token [SEP]");
    Files.write(vocabulary, new byte[] {(byte) 0xFF});
    refused("not UTF-8");
  }

  @Test
  void vocabulariesTellWhetherTextIsLowerCased() throws IOException {
    ForeignEncoders.huggingFace(
        directory, NamingStyle.BERT, ForeignEncoders.foreign(NamingStyle.BERT, ours));
    Path vocabulary = directory.resolve("vocab.txt");
    // upper case, without a lower one; uncased BERT has it
    Files.writeString(vocabulary, ForeignEncoders.VOCAB_TXT.replace("sat", "\u211D"));
    requireTokens("The", 5);
    Files.writeString(vocabulary, ForeignEncoders.VOCAB_TXT.replace("sat", "Sat"));
    requireTokens("The", 1);
    Files.writeString(directory.resolve("model.json"), "{\"doLowerCase\": true}");
    requireTokens("The", 5);
  }

  private void requireTokens(String text, int... expected) {
    PretrainedEncoder encoder = PretrainedReader.read(DISK, directory, OptionalInt.empty());
    try (HfTokenizer tokenizer = HfTokenizer.fromJson(encoder.tokenizerJson())) {
      assertThat(tokenizer.encode(text)).containsExactly(expected);
    }
  }

  private void rewrite(Weights foreign) throws IOException {
    Files.deleteIfExists(directory.resolve("model.safetensors"));
    SafetensorsWriter.write(DISK, directory.resolve("model.safetensors"), foreign);
  }

  private void refused(String reason) {
    assertThatThrownBy(() -> PretrainedReader.read(DISK, directory, OptionalInt.empty()))
        .as(reason)
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining(reason);
  }

  private void requireOurs(PretrainedEncoder encoder, NamingStyle style) {
    requireEncoder(encoder, style);
    assertThat(encoder.maskedLm()).isNotNull();
    requireSame(encoder.maskedLm(), "masked_lm", style);
  }

  private void requireEncoder(PretrainedEncoder encoder, NamingStyle style) {
    requireSame(encoder.weights(), "encoder", style);
  }

  private void requireSame(Weights found, String prefix, NamingStyle style) {
    List<String> expected =
        ours.names().stream()
            .filter(name -> name.startsWith(prefix))
            .filter(name -> !ForeignEncoders.theirs(style, name).isEmpty())
            .toList();
    assertThat(found.names()).containsExactlyInAnyOrderElementsOf(expected);
    for (String name : expected) {
      assertThat(found.get(name).shape()).as(name).isEqualTo(ours.get(name).shape());
      assertThat(found.get(name).values()).as(name).isEqualTo(ours.get(name).values());
    }
  }
}
