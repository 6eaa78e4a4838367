package org.lathe.export.savedmodel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lathe.export.EncoderFixtures;
import org.lathe.export.ExportFixtures;
import org.lathe.export.format.SavedModelSummary;
import org.lathe.export.verification.EncoderGraphReference;
import org.lathe.export.verification.LoadedEncoder;
import org.lathe.export.verification.LoadedLanguageModel;
import org.lathe.export.verification.ModelVerifier;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;

/** Exports with packed matrices, loaded as a server does. */
final class PackedExportTest {
  private static final int NUM_ROWS = 12;

  /** Relative to the largest value of a row or column: half a step, and half a unit of half. */
  private static final double INT8_ERROR = 0.5 / 127;

  private static final double FLOAT16_ERROR = 0x1p-11;

  private final Storage storage = LocalStorage.INSTANCE;

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({
    "bert,classes,INT8",
    "slim,spans,INT8",
    "roberta,classes,INT8",
    "distilbert,regression,INT8",
    "bert,spans,FLOAT16",
    "slim,classes,FLOAT16"
  })
  void anEncoderComputesWithTheRoundedWeights(
      String shape, String task, WeightPrecision precision) {
    EncoderConfig encoder = EncoderFixtures.config(shape);
    EncoderExportRequest request =
        EncoderFixtures.request(
                encoder, EncoderFixtures.head(task, encoder), directory.resolve("NAME"))
            .withPrecision(precision);
    ExportedModel exported = EncoderExporter.export(storage, request);
    assertThat(exported.maxDifference()).isLessThan(1e-5);
    assertThat(exported.numParameters()).isEqualTo(request.weights().numValues());
    Weights rounded;
    try (PackedWeights packed = new PackedWeights(request.weights(), precision)) {
      rounded = packed.rounded();
    }
    double largest = 0;
    Random random = new Random(5);
    int[][] ids = EncoderFixtures.randomRows(random, NUM_ROWS);
    int[][] types = EncoderFixtures.randomTypes(random, ids);
    try (LoadedEncoder model = LoadedEncoder.open(storage, exported.directory());
        EncoderGraphReference trained =
            new EncoderGraphReference(request.encoder(), request.head(), request.weights());
        EncoderGraphReference reference =
            new EncoderGraphReference(request.encoder(), request.head(), rounded)) {
      for (int i = 0; i < NUM_ROWS; i++) {
        Map<String, float[]> found = model.run(new int[][] {ids[i]}, new int[][] {types[i]});
        Map<String, float[]> expected = reference.outputs(ids[i], types[i]);
        Map<String, float[]> unrounded = trained.outputs(ids[i], types[i]);
        for (String name : found.keySet()) {
          for (int k = 0; k < expected.get(name).length; k++) {
            float value = found.get(name)[k];
            assertThat(value).as(name).isCloseTo(expected.get(name)[k], within(1e-5f));
            largest = Math.max(largest, Math.abs(value - unrounded.get(name)[k]));
          }
        }
      }
    }
    // of the same size as on the recorded rows, and there is something to be seen
    assertThat(exported.roundingDifference()).isBetween(largest / 20, largest * 20);
    assertThat(exported.roundingDifference()).isGreaterThan(1e-4);
  }

  @ParameterizedTest
  @CsvSource({
    "uniform,LOCAL,INT8",
    "slim,NONE,INT8",
    "adaptive,NONE,INT8",
    "postNorm,LOCAL,FLOAT16"
  })
  void aLanguageModelDoesSoToo(String shape, MemoryObjective objective, WeightPrecision precision) {
    TransformerConfig config =
        switch (shape) {
          case "slim" -> ExportFixtures.slim();
          case "adaptive" -> ExportFixtures.adaptive();
          case "postNorm" -> ExportFixtures.postNorm();
          default -> ExportFixtures.uniform();
        };
    ExportRequest request =
        ExportFixtures.request(config, objective, directory.resolve("NAME"))
            .withPrecision(precision);
    ExportedModel exported = LanguageModelExporter.export(storage, request);
    assertThat(exported.maxDifference()).isLessThan(1e-5);
    assertThat(exported.roundingDifference()).isGreaterThan(1e-4);
    assertThat(ModelVerifier.verify(storage, exported.directory()).maxDifference())
        .isLessThan(1e-5);
    try (LoadedLanguageModel model = LoadedLanguageModel.open(storage, exported.directory())) {
      assertThat(types(model.summary())).contains(stored(precision));
    }
  }

  @ParameterizedTest
  @CsvSource({"INT8", "FLOAT16"})
  void onlyMatricesArePackedAndTheirFloatsAreGone(WeightPrecision precision) throws Exception {
    EncoderConfig encoder = EncoderFixtures.bert();
    EncoderExportRequest request =
        EncoderFixtures.request(
            encoder, EncoderFixtures.head("classes", encoder), directory.resolve("NAME"));
    ExportedModel packed = EncoderExporter.export(storage, request.withPrecision(precision));
    try (LoadedEncoder model = LoadedEncoder.open(storage, packed.directory())) {
      for (SavedModelSummary.SavedVariable variable : model.summary().variables()) {
        boolean isMatrix =
            variable.shape().size() == 2 && variable.shape().stream().allMatch(size -> size >= 8);
        assertThat(variable.type())
            .as(variable.name())
            .isEqualTo(isMatrix ? stored(precision) : "DT_FLOAT");
      }
    }
    Path extra = packed.directory().resolve("assets.extra");
    assertThat(Files.readString(extra.resolve("card.md")))
        .contains("stored as " + precision.label());
    Map<String, Object> facts = JsonFile.read(storage, extra.resolve("signature.json"));
    assertThat(facts.get("weights")).isEqualTo(precision.label());
    assertThat(((Number) facts.get("roundingDifference")).doubleValue())
        .isEqualTo(packed.roundingDifference());
    long bytes = Files.size(packed.directory().resolve("variables/variables.data-00000-of-00001"));
    long values = request.weights().numValues();
    assertThat(bytes).isLessThan((precision == WeightPrecision.INT8 ? 2 : 3) * values);
  }

  @Test
  void roundingIsAsFineAsPromised() {
    EncoderConfig encoder = EncoderFixtures.bert();
    Weights weights =
        EncoderFixtures.randomWeights(encoder, EncoderFixtures.head("classes", encoder), 3);
    try (PackedWeights bytes = new PackedWeights(weights, WeightPrecision.INT8);
        PackedWeights halves = new PackedWeights(weights, WeightPrecision.FLOAT16)) {
      assertThat(bytes.packedNames())
          .isEqualTo(halves.packedNames())
          .contains("encoder/embedding/tokens");
      for (String name : weights.names()) {
        float[] values = weights.get(name).values();
        float largest = 0;
        for (float value : values) {
          largest = Math.max(largest, Math.abs(value));
        }
        for (int i = 0; i < values.length; i++) {
          assertThat(bytes.rounded().get(name).values()[i])
              .isCloseTo(values[i], within((float) (1.001 * INT8_ERROR * largest)));
          assertThat(halves.rounded().get(name).values()[i])
              .isCloseTo(values[i], within((float) (FLOAT16_ERROR * Math.abs(values[i]) + 1e-8)));
        }
      }
    }
  }

  @Test
  void matricesBeyondHalfPrecisionStayAsTheyAre() {
    EncoderConfig encoder = EncoderFixtures.bert();
    Weights weights =
        EncoderFixtures.randomWeights(encoder, EncoderFixtures.head("classes", encoder), 3);
    weights.get("encoder/embedding/tokens").values()[7] = 70_000;
    try (PackedWeights halves = new PackedWeights(weights, WeightPrecision.FLOAT16)) {
      assertThat(halves.packedNames()).isNotEmpty().doesNotContain("encoder/embedding/tokens");
      assertThat(halves.plain().contains("encoder/embedding/tokens")).isTrue();
    }
  }

  @Test
  void somebodyElsesReferenceIsRefused() {
    EncoderConfig encoder = EncoderFixtures.bert();
    EncoderExportRequest request =
        EncoderFixtures.request(
                encoder, EncoderFixtures.head("classes", encoder), directory.resolve("NAME"))
            .withReference((ids, types) -> Map.of());
    assertThatThrownBy(() -> request.withPrecision(WeightPrecision.INT8))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("int8");
  }

  private static String stored(WeightPrecision precision) {
    return precision == WeightPrecision.INT8 ? "DT_UINT8" : "DT_HALF";
  }

  private static List<String> types(SavedModelSummary summary) {
    return summary.variables().stream().map(SavedModelSummary.SavedVariable::type).toList();
  }
}
