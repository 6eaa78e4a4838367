package org.lathe.training.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.HeadConfig.Kind;
import org.lathe.graphs.errors.FailedException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.LocalStorage;
import org.tensorflow.ndarray.Shape;

/** Names and classes as Hugging Face's own modules have them. */
class HuggingFaceHeadsTest {
  private static final LocalStorage DISK = LocalStorage.INSTANCE;

  @TempDir private Path root;

  @ParameterizedTest
  @CsvSource({
    "BERT, POOLED_CLASSIFIER, BertForSequenceClassification, , classifier",
    "BERT, TANH_CLASSIFIER, BertForSequenceClassification, bert.pooler.dense, classifier",
    "ROBERTA, TANH_CLASSIFIER, RobertaForSequenceClassification, classifier.dense, classifier.out_proj",
    "ROBERTA, POOLED_CLASSIFIER, RobertaForSequenceClassification, classifier.dense, classifier.out_proj",
    "DISTILBERT, RELU_CLASSIFIER, DistilBertForSequenceClassification, pre_classifier, classifier",
    "BERT, SPAN, BertForQuestionAnswering, , qa_outputs",
    "ROBERTA, SPAN, RobertaForQuestionAnswering, , qa_outputs",
    "DISTILBERT, SPAN, DistilBertForQuestionAnswering, , qa_outputs",
  })
  void headsHaveTheNamesOfTheirClass(
      NamingStyle style, Kind kind, String architecture, String dense, String output)
      throws IOException {
    EncoderHead head = head(kind, 3, List.of("no", "maybe", "yes"));
    Path out = write(style, head);
    Map<String, Object> config = JsonFile.read(DISK, out.resolve("config.json"));
    assertThat(config).containsEntry("architectures", List.of(architecture));
    SafetensorsReader file = SafetensorsReader.open(DISK, out.resolve("model.safetensors"));
    if (dense != null) {
      boolean pooler = kind == Kind.POOLED_CLASSIFIER;
      requireLinear(
          file,
          dense,
          pooler ? ForeignEncoders.ours(3) : head.weights(),
          pooler ? "encoder/pooler" : kind.prefix() + "/dense");
    }
    requireLinear(file, output, head.weights(), kind.prefix() + "/output");
    if (kind == Kind.SPAN) {
      assertThat(config).doesNotContainKey("id2label");
    } else {
      assertThat(config)
          .containsEntry("id2label", Map.of("0", "no", "1", "maybe", "2", "yes"))
          .containsEntry("label2id", Map.of("no", 0L, "maybe", 1L, "yes", 2L))
          .containsEntry("problem_type", "single_label_classification");
    }
  }

  @Test
  void aNumberIsRegression() throws IOException {
    Path out = write(NamingStyle.BERT, head(Kind.POOLED_CLASSIFIER, 1, List.of()));
    assertThat(JsonFile.read(DISK, out.resolve("config.json")))
        .containsEntry("problem_type", "regression")
        .containsEntry("id2label", Map.of("0", "LABEL_0"));
  }

  @Test
  void aHeadOfAnotherFamilyIsRefused() {
    assertThatThrownBy(() -> write(NamingStyle.ROBERTA, head(Kind.RELU_CLASSIFIER, 3, List.of())))
        .isInstanceOf(FailedException.class)
        .hasMessageContaining("no head of kind RELU_CLASSIFIER");
    assertThat(root.resolve("out")).doesNotExist();
  }

  @Test
  void aFailedCheckLeavesNothing() {
    assertThatThrownBy(
            () ->
                HfDirectoryWriter.write(
                    DISK,
                    root.resolve("out"),
                    encoder(NamingStyle.BERT, Kind.SPAN),
                    head(Kind.SPAN, 0, List.of()),
                    directory -> {
                      assertThat(directory.resolve("config.json")).exists();
                      throw new FailedException("differs");
                    }))
        .hasMessage("differs");
    assertThat(root).isDirectoryNotContaining(path -> !path.endsWith("in"));
  }

  /** Left of a hidden size that was pruned; no classifier reads it, and its class has none. */
  @Test
  void aPoolerThatNoHeadReadsIsLeftOut() throws IOException {
    PretrainedEncoder encoder = encoder(NamingStyle.BERT, Kind.SPAN);
    PretrainedEncoder wide =
        new PretrainedEncoder(
            encoder.config().withPooler(2 * ForeignEncoders.HIDDEN),
            encoder.weights(),
            null,
            encoder.tokenizerJson(),
            List.of());
    Path out = root.resolve("spans");
    HfDirectoryWriter.write(DISK, out, wide, head(Kind.SPAN, 0, List.of()), path -> {});
    assertThat(SafetensorsReader.open(DISK, out.resolve("model.safetensors")).names())
        .contains("qa_outputs.weight")
        .noneMatch(name -> name.contains("pooler"));
    assertThatThrownBy(
            () -> HfDirectoryWriter.write(DISK, root.resolve("no"), wide, null, path -> {}))
        .isInstanceOf(FailedException.class)
        .hasMessageContaining("pooler of");
  }

  private Path write(NamingStyle style, EncoderHead head) throws IOException {
    Path out = root.resolve("out");
    HfDirectoryWriter.write(DISK, out, encoder(style, head.config().kind()), head, path -> {});
    return out;
  }

  private PretrainedEncoder encoder(NamingStyle style, Kind kind) throws IOException {
    Path in = root.resolve("in");
    Weights ours = ForeignEncoders.ours(3);
    ForeignEncoders.huggingFace(in, style, ForeignEncoders.foreign(style, ours));
    PretrainedEncoder encoder = PretrainedReader.read(DISK, in, OptionalInt.empty());
    boolean pooled = kind == Kind.POOLED_CLASSIFIER;
    return new PretrainedEncoder(
        pooled ? encoder.config() : encoder.config().withPooler(0),
        encoder.weights(),
        null,
        encoder.tokenizerJson(),
        List.of());
  }

  private static EncoderHead head(Kind kind, int numClasses, List<String> labels) {
    boolean span = kind == Kind.SPAN;
    int hidden = ForeignEncoders.HIDDEN;
    HeadConfig config = new HeadConfig(kind, span ? 0 : numClasses, kind.hasDense() ? hidden : 0);
    Weights weights = new Weights();
    if (kind.hasDense()) {
      putLinear(weights, kind.prefix() + "/dense", hidden, hidden);
    }
    putLinear(weights, kind.prefix() + "/output", hidden, span ? 2 : numClasses);
    return new EncoderHead(config, weights, span ? List.of() : labels);
  }

  private static void putLinear(Weights weights, String name, int in, int out) {
    float[] kernel = new float[in * out];
    float[] bias = new float[out];
    for (int i = 0; i < kernel.length; i++) {
      kernel[i] = i + 0.5f;
    }
    for (int i = 0; i < bias.length; i++) {
      bias[i] = -i;
    }
    weights.put(name + "/kernel", Shape.of(in, out), kernel);
    weights.put(name + "/bias", Shape.of(out), bias);
  }

  private static void requireLinear(
      SafetensorsReader file, String theirs, Weights weights, String ours) {
    Weights.Array kernel = weights.get(ours + "/kernel");
    int in = (int) kernel.shape().get(0);
    int out = (int) kernel.shape().get(1);
    assertThat(file.shape(theirs + ".weight")).isEqualTo(Shape.of(out, in));
    float[] found = file.read(theirs + ".weight").values();
    for (int i = 0; i < in; i++) {
      for (int o = 0; o < out; o++) {
        assertThat(found[o * in + i]).isEqualTo(kernel.values()[i * out + o]);
      }
    }
    assertThat(file.read(theirs + ".bias").values())
        .isEqualTo(weights.get(ours + "/bias").values());
  }
}
