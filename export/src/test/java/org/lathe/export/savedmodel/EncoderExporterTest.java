package org.lathe.export.savedmodel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lathe.export.EncoderFixtures;
import org.lathe.export.ExportFixtures;
import org.lathe.export.format.EncoderSignatures;
import org.lathe.export.format.SavedModelSummary;
import org.lathe.export.format.SignatureNames;
import org.lathe.export.format.WarmupFile;
import org.lathe.export.format.WarmupRequest;
import org.lathe.export.verification.EncoderGraphReference;
import org.lathe.export.verification.LoadedEncoder;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.graphs.errors.GraphMismatchException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;
import org.lathe.training.weights.TensorBundle;

final class EncoderExporterTest {
  private static final int NUM_CALLS = 6;
  private static final int NUM_ROWS = 8;

  private final Storage storage = LocalStorage.INSTANCE;

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({
    "bert,classes",
    "bert,regression",
    "bert,spans",
    "slim,classes",
    "slim,spans",
    "roberta,classes",
    "google,classes",
    "distilbert,regression"
  })
  void equalsTheTrainingGraphOnPaddedBatches(String shape, String task) {
    EncoderExportRequest request = request(shape, task);
    ExportedModel exported = EncoderExporter.export(storage, request);
    assertThat(exported.maxDifference()).isLessThan(1e-5);
    Random random = new Random(5);
    try (LoadedEncoder model = LoadedEncoder.open(storage, exported.directory());
        EncoderGraphReference reference =
            new EncoderGraphReference(request.encoder(), request.head(), request.weights())) {
      for (int call = 0; call < NUM_CALLS; call++) {
        int[][] ids = EncoderFixtures.randomRows(random, NUM_ROWS);
        int[][] types = EncoderFixtures.randomTypes(random, ids);
        Map<String, float[]> found = model.run(ids, types);
        assertSame(model.run(EncoderSignatures.SERVING_INT64, model.padded(ids, types)), found);
        assertThat(found.keySet()).isEqualTo(outputs(request.head()));
        for (int i = 0; i < NUM_ROWS; i++) {
          Map<String, float[]> expected = reference.outputs(ids[i], types[i]);
          for (String name : found.keySet()) {
            assertRow(model, found, name, i, ids[i].length, expected.get(name));
          }
        }
      }
    }
  }

  private static Set<String> outputs(HeadConfig head) {
    if (!head.kind().classifies()) {
      return Set.of("start_logits", "end_logits");
    }
    return head.numClasses() == 1 ? Set.of("score") : Set.of("logits", "probabilities");
  }

  /** The row's values, and logits near -10000 in its padding. */
  private static void assertRow(
      LoadedEncoder model,
      Map<String, float[]> outputs,
      String name,
      int row,
      int length,
      float[] expected) {
    float[] found = outputs.get(name);
    int stride = found.length / NUM_ROWS;
    assertThat(stride).isEqualTo(model.width(name, EncoderFixtures.MAX_LENGTH));
    assertThat(expected).hasSize(model.width(name, length));
    for (int k = 0; k < stride; k++) {
      double value = found[row * stride + k];
      if (k < expected.length) {
        assertThat(value).as("%s, row %s", name, row).isCloseTo(expected[k], within(1e-5));
      } else {
        assertThat(value).isLessThan(-9_000);
      }
    }
  }

  private static void assertSame(Map<String, float[]> found, Map<String, float[]> expected) {
    assertThat(found.keySet()).isEqualTo(expected.keySet());
    expected.forEach((name, values) -> assertThat(found.get(name)).as(name).isEqualTo(values));
  }

  /** Also where the padding id is not 0, and where types would make a difference. */
  @ParameterizedTest
  @CsvSource({"bert,spans", "roberta,classes", "distilbert,regression"})
  void idsAloneAreExplicitMasksAndOneText(String shape, String task) {
    Random random = new Random(7);
    int[][] ids = EncoderFixtures.randomRows(random, NUM_ROWS);
    int[][] oneText = Arrays.stream(ids).map(row -> new int[row.length]).toArray(int[][]::new);
    try (LoadedEncoder model = open(request(shape, task))) {
      Map<String, int[][]> inputs = model.padded(ids, oneText);
      assertThat(inputs.get(SignatureNames.INPUT)[0]).contains(EncoderFixtures.PADDING);
      Map<String, float[]> found =
          model.run(
              EncoderSignatures.IDS_ONLY,
              Map.of(SignatureNames.INPUT, inputs.get(SignatureNames.INPUT)));
      assertSame(found, model.run(ids, oneText));
      boolean looksAtTypes = shape.equals("bert");
      int[][] types = EncoderFixtures.randomTypes(random, ids);
      String name = model.outputs().get(0);
      assertThat(Arrays.equals(model.run(ids, types).get(name), found.get(name)))
          .isNotEqualTo(looksAtTypes);
    }
  }

  @Test
  void signaturesAreAsPromised() {
    try (LoadedEncoder model = open(request("bert", "classes"))) {
      SavedModelSummary summary = model.summary();
      assertThat(summary.signatures().keySet())
          .containsExactlyInAnyOrder("serving_default", "serving_int64", "ids_only");
      assertInputs(
          summary, "serving_default", "DT_INT32", "input_ids", "attention_mask", "token_type_ids");
      assertInputs(
          summary, "serving_int64", "DT_INT64", "input_ids", "attention_mask", "token_type_ids");
      assertInputs(summary, "ids_only", "DT_INT32", "input_ids");
      summary
          .signatures()
          .values()
          .forEach(
              signature -> {
                assertThat(signature.method()).isEqualTo("tensorflow/serving/predict");
                assertThat(signature.outputs().get("logits").shape()).containsExactly(-1L, 3L);
                assertThat(signature.outputs().get("probabilities").shape())
                    .containsExactly(-1L, 3L);
              });
      assertThat(summary.numNodesByOp().keySet())
          .noneMatch(op -> op.endsWith("Grad") || op.contains("Random") || op.contains("Apply"));
      assertThat(summary.variables()).allMatch(variable -> variable.type().equals("DT_FLOAT"));
    }
    try (LoadedEncoder model = open(request("bert", "regression"))) {
      assertThat(model.summary().signatures().get("ids_only").outputs().get("score").shape())
          .containsExactly(-1L);
    }
    try (LoadedEncoder model = open(request("bert", "spans"))) {
      assertThat(model.summary().signatures().get("ids_only").outputs().get("end_logits").shape())
          .containsExactly(-1L, -1L);
    }
  }

  private static void assertInputs(
      SavedModelSummary summary, String signature, String type, String... names) {
    Map<String, SavedModelSummary.TensorSpec> inputs = summary.signatures().get(signature).inputs();
    assertThat(inputs.keySet()).containsExactlyInAnyOrder(names);
    inputs
        .values()
        .forEach(
            spec -> {
              assertThat(spec.type()).isEqualTo(type);
              assertThat(spec.shape()).containsExactly(-1L, -1L);
            });
  }

  @Test
  void unusableRowsAreRefusedByTheGraphWithASentence() {
    for (String shape : List.of("bert", "roberta")) {
      try (LoadedEncoder model = open(request(shape, "classes"))) {
        int[][] tooLong = new int[1][EncoderFixtures.MAX_LENGTH + 1];
        assertThatThrownBy(() -> model.run(tooLong, tooLong))
            .isInstanceOf(FailedException.class)
            .hasMessageContaining("rows must hold 1 to 20 ids");
        assertThatThrownBy(
                () -> model.run(EncoderSignatures.IDS_ONLY, Map.of(SignatureNames.INPUT, tooLong)))
            .hasMessageContaining("rows must hold 1 to 20 ids");
        assertThatThrownBy(() -> model.run(new int[][] {{1}, {}}, new int[][] {{0}, {}}))
            .isInstanceOf(FailedException.class)
            .hasMessageContaining("every row needs at least one token");
        int[][] padding = {{EncoderFixtures.PADDING, EncoderFixtures.PADDING}};
        assertThatThrownBy(
                () -> model.run(EncoderSignatures.IDS_ONLY, Map.of(SignatureNames.INPUT, padding)))
            .hasMessageContaining("not the padding id 3");
        for (String name :
            List.of(EncoderSignatures.ATTENTION_MASK, EncoderSignatures.TOKEN_TYPES)) {
          Map<String, int[][]> inputs =
              new HashMap<>(model.padded(new int[][] {{1, 2, 4}}, new int[1][3]));
          inputs.put(name, new int[][] {{1, 1}});
          assertThatThrownBy(() -> model.run(EncoderSignatures.SERVING, inputs))
              .hasMessageContaining(name + ": expected the shape of input_ids");
        }
      }
    }
  }

  @Test
  void idsBeyondTheVocabularyCountAsTheNearest() {
    try (LoadedEncoder model = open(request("bert", "classes"))) {
      int[][] zeros = new int[1][3];
      int last = EncoderFixtures.VOCABULARY - 1;
      Map<String, float[]> expected = model.run(new int[][] {{0, last, last}}, zeros);
      int[][] beyond = {{-7, EncoderFixtures.VOCABULARY, Integer.MAX_VALUE}};
      assertSame(model.run(beyond, zeros), expected);
      assertSame(model.run(EncoderSignatures.SERVING_INT64, model.padded(beyond, zeros)), expected);
      Map<String, int[][]> ones = model.padded(new int[][] {{5, 6}}, new int[][] {{0, 1}});
      Map<String, int[][]> large = model.padded(new int[][] {{5, 6}}, new int[][] {{-1, 9}});
      large = new HashMap<>(large);
      large.put(EncoderSignatures.ATTENTION_MASK, new int[][] {{7, 2}});
      assertSame(
          model.run(EncoderSignatures.SERVING, large), model.run(EncoderSignatures.SERVING, ones));
    }
  }

  @Test
  void warmupCallsEverySignatureWithAllItsInputs() {
    ExportedModel exported = EncoderExporter.export(storage, request("bert", "classes"));
    List<WarmupRequest> requests =
        WarmupFile.read(storage, exported.directory().resolve(WarmupFile.PATH));
    Map<String, List<WarmupRequest>> bySignature =
        requests.stream().collect(Collectors.groupingBy(WarmupRequest::signature));
    assertThat(bySignature.keySet())
        .containsExactlyInAnyOrder("serving_default", "serving_int64", "ids_only");
    assertThat(bySignature.get("serving_default"))
        .extracting(each -> each.batchSize() + "x" + each.length())
        .containsExactlyInAnyOrder("1x16", "1x20", "8x16", "8x20");
    for (WarmupRequest each : requests) {
      boolean idsOnly = each.signature().equals("ids_only");
      assertThat(each.wide()).isEqualTo(each.signature().equals("serving_int64"));
      assertThat(each.inputs().keySet())
          .isEqualTo(
              idsOnly
                  ? Set.of("input_ids")
                  : Set.of("input_ids", "attention_mask", "token_type_ids"));
      int[] lastRow = each.ids()[each.batchSize() - 1];
      assertThat(Arrays.stream(lastRow).filter(id -> id == EncoderFixtures.PADDING).count())
          .isEqualTo(each.batchSize() == 1 ? 0 : each.length() / 2);
      if (!idsOnly) {
        int[] mask = each.inputs().get("attention_mask")[each.batchSize() - 1];
        for (int t = 0; t < mask.length; t++) {
          assertThat(mask[t]).isEqualTo(lastRow[t] == EncoderFixtures.PADDING ? 0 : 1);
        }
        assertThat(each.inputs().get("token_type_ids")[0]).contains(0, 1);
      }
    }
  }

  @Test
  void sameInputGivesTheSameBytesWithoutPaths() throws Exception {
    Path asset = Files.writeString(directory.resolve("some.json"), "{}");
    Map<String, byte[]> first = exportWithAsset(directory.resolve("a").resolve("NAME"), asset);
    Map<String, byte[]> second = exportWithAsset(directory.resolve("b").resolve("NAME"), asset);
    assertThat(first.keySet())
        .containsExactly(
            "MANIFEST.json",
            "assets.extra/card.md",
            "assets.extra/labels.json",
            "assets.extra/reference.json",
            "assets.extra/signature.json",
            "assets.extra/tf_serving_warmup_requests",
            "assets.extra/tokenizer.json",
            "saved_model.pb",
            "variables/variables.data-00000-of-00001",
            "variables/variables.index");
    assertThat(new LinkedHashSet<>(second.keySet())).isEqualTo(first.keySet());
    first.forEach((name, bytes) -> assertThat(second.get(name)).as(name).isEqualTo(bytes));
    first.forEach(
        (name, bytes) ->
            assertThat(new String(bytes, StandardCharsets.ISO_8859_1))
                .as(name)
                .doesNotContain(directory.toString())
                .doesNotContain(System.getProperty("user.home") + "/"));
  }

  private Map<String, byte[]> exportWithAsset(Path base, Path asset) {
    EncoderConfig encoder = EncoderFixtures.slim();
    EncoderExportRequest request =
        EncoderFixtures.request(encoder, EncoderFixtures.head("classes", encoder), base)
            .withLabels(List.of("no", "maybe", "yes"))
            .withMetadata(Map.of("accuracy", "0.9", "data", "tiny"))
            .withAssets(Map.of("tokenizer.json", asset));
    return ExportFixtures.files(EncoderExporter.export(storage, request).directory());
  }

  @Test
  void cardAndLabelsSayWhatAClientNeeds() throws Exception {
    EncoderExportRequest request =
        request("bert", "classes").withLabels(List.of("no", "maybe", "yes")).withTaskLength(3);
    Path extra = EncoderExporter.export(storage, request).directory().resolve("assets.extra");
    assertThat(JsonFile.read(storage, extra.resolve("labels.json")).get("labels"))
        .isEqualTo(List.of("no", "maybe", "yes"));
    assertThat(Files.readString(extra.resolve("card.md")))
        .contains("`no`, `maybe`, `yes`.")
        .contains("those of more than 3 are longer than any in training")
        .contains("`ids_only` takes every id but 3 for a token")
        .contains(
            "curl -d '{\"inputs\": {\"input_ids\": [[0, 0], [0, 3]],"
                + " \"attention_mask\": [[1, 1], [1, 0]],"
                + " \"token_type_ids\": [[0, 0], [0, 0]]}}'")
        .contains(
            "curl -d '{\"signature_name\": \"ids_only\","
                + " \"inputs\": {\"input_ids\": [[0, 0], [0, 3]]}}'");
    try (LoadedEncoder model = LoadedEncoder.open(storage, extra.getParent())) {
      assertThat(model.facts().labels()).containsExactly("no", "maybe", "yes");
      assertThat(model.facts().paddingId()).isEqualTo(EncoderFixtures.PADDING);
      assertThat(model.facts().maxLength()).isEqualTo(EncoderFixtures.MAX_LENGTH);
      assertThat(model.facts().taskLength()).isEqualTo(3);
      assertThat(model.facts().vocabularySize()).isEqualTo(EncoderFixtures.VOCABULARY);
    }
  }

  @Test
  void variablesAreExactlyTheWeights() {
    EncoderExportRequest request = request("slim", "spans");
    ExportedModel exported = EncoderExporter.export(storage, request);
    Weights read =
        TensorBundle.read(
            exported.directory().resolve("variables").resolve("variables"),
            List.copyOf(request.weights().names()));
    for (String name : request.weights().names()) {
      assertThat(read.get(name).values()).isEqualTo(request.weights().get(name).values());
    }
    assertThat(exported.numParameters()).isEqualTo(request.weights().numValues());
    try (LoadedEncoder model = LoadedEncoder.open(storage, exported.directory())) {
      assertThat(model.summary().numParameters()).isEqualTo(request.weights().numValues());
    }
  }

  @Test
  void badRequestsPublishNothing() throws Exception {
    EncoderExportRequest sound = request("bert", "classes");
    Path base = sound.baseDirectory();
    assertThatThrownBy(
            () ->
                EncoderExporter.export(
                    storage, sound.withAssets(Map.of("labels.json", base.resolve("x")))))
        .isInstanceOf(ConfigException.class);
    EncoderExportRequest foreign =
        EncoderExportRequest.of(
            sound.encoder(), HeadConfig.SPAN, sound.weights(), base, 1, EncoderFixtures.PADDING);
    assertThatThrownBy(() -> EncoderExporter.export(storage, foreign))
        .isInstanceOf(GraphMismatchException.class);
    assertThat(base).doesNotExist();
    EncoderExportRequest wrong =
        sound.withReference(
            (ids, types) -> Map.of("logits", new float[3], "probabilities", new float[3]));
    assertThatThrownBy(() -> EncoderExporter.export(storage, wrong))
        .isInstanceOf(FailedException.class)
        .hasMessageContaining("recorded");
    assertThat(Files.list(base)).isEmpty();
    assertThatThrownBy(() -> sound.withLabels(List.of("one")))
        .isInstanceOf(IllegalArgumentException.class);
    EncoderExporter.export(storage, sound);
    assertThatThrownBy(() -> EncoderExporter.export(storage, sound))
        .isInstanceOf(FailedException.class)
        .hasMessageContaining("exists");
  }

  private EncoderExportRequest request(String shape, String task) {
    EncoderConfig encoder = EncoderFixtures.config(shape);
    return EncoderFixtures.request(
        encoder, EncoderFixtures.head(task, encoder), directory.resolve(shape + "-" + task));
  }

  private LoadedEncoder open(EncoderExportRequest request) {
    return LoadedEncoder.open(storage, EncoderExporter.export(storage, request).directory());
  }
}
