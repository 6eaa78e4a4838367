package org.lathe.export.retrieval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lathe.export.ExportFixtures;
import org.lathe.export.format.SignatureNames;
import org.lathe.export.savedmodel.ExportRequest;
import org.lathe.export.savedmodel.ExportedModel;
import org.lathe.export.savedmodel.LanguageModelExporter;
import org.lathe.export.verification.GraphReference;
import org.lathe.export.verification.LoadedLanguageModel;
import org.lathe.export.verification.ModelVerifier;
import org.lathe.export.verification.VerificationReport;
import org.lathe.graphs.config.MemoryConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.graphs.retrieval.KeyEncoding;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.datastore.Datastore;
import org.lathe.training.datastore.DatastoreEditor;
import org.lathe.training.datastore.IvfIndex;
import org.lathe.training.datastore.NeighborSearch.Metric;
import org.lathe.training.files.JsonFile;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;
import org.lathe.training.memory.ExternalMixing;
import org.lathe.training.memory.MemoryMixing;
import org.lathe.training.memory.Mixing;
import org.lathe.training.weights.TensorBundle;

/** SavedModels with an external memory, loaded as a server does. */
final class RetrievalExportTest {
  private static final int NUM_PROMPTS = 24;
  private static final int VOCABULARY = ExportFixtures.VOCABULARY;

  private final Storage storage = LocalStorage.INSTANCE;
  private final TransformerConfig config = ExportFixtures.uniform();
  private final Weights weights = ExportFixtures.randomWeights(config, 11);
  private final MemoryConfig memory = ExportFixtures.memory(MemoryObjective.LOCAL, config);

  @TempDir Path directory;
  private Datastore store;

  @BeforeEach
  void buildStore() {
    Path path = directory.resolve("store");
    MemoryFixtures.build(path, config, weights, memory.scoreScale());
    store = Datastore.open(storage, path);
  }

  @AfterEach
  void closeStore() {
    store.close();
  }

  /** Encodings, metrics, mixings and K against the formulas; one list is an exact search. */
  @ParameterizedTest
  @CsvSource({
    "INNER_PRODUCT, FLOAT32, 1, 1, 8, trime",
    "SQUARED_L2, FLOAT32, 1, 1, 8, knn",
    "SQUARED_L2, INT8, 1, 1, 5, trime",
    "INNER_PRODUCT, FLOAT32, 9, 9, 8, knn",
    "INNER_PRODUCT, INT8, 9, 9, 8, trime",
    "SQUARED_L2, INT8, 9, 3, 8, cache",
    "SQUARED_L2, FLOAT32, 9, 2, 30, shared",
    "INNER_PRODUCT, FLOAT16, 9, 3, 8, linear",
    "INNER_PRODUCT, PRODUCT, 6, 4, 8, trime",
    "SQUARED_L2, FLOAT32, 1, 1, 100000, trime",
    "INNER_PRODUCT, INT8, 7, 50, 100000, cache",
  })
  void equalsTheFormulas(
      Metric metric, KeyEncoding encoding, int numLists, int probes, int neighbors, String mixing) {
    IvfIndex index = MemoryFixtures.index(store, metric, encoding, numLists);
    RetrievalPlan plan =
        new RetrievalPlan(StoredMemory.of(store, index), neighbors, probes, mixing(mixing), true);
    assertThat(plan.neighbors()).isEqualTo(Math.min(neighbors, store.numItems()));
    compare(plan);
  }

  private static MemoryMixing mixing(String name) {
    return switch (name) {
      case "trime" -> new MemoryMixing(Mixing.shared(1.25), new ExternalMixing(true, 0.6, 0.3));
      case "shared" -> new MemoryMixing(Mixing.shared(0.8), new ExternalMixing(true, 1, 0));
      case "linear" -> new MemoryMixing(Mixing.shared(2), ExternalMixing.linear(0.9, 0.25));
      case "cache" -> new MemoryMixing(Mixing.linear(0.7, 0.2), ExternalMixing.linear(1.3, 0.4));
      default -> MemoryMixing.externalOnly(0.8, 0.35);
    };
  }

  /** Exports, loads, and compares every output of every row with the formulas. */
  private ExportedModel compare(RetrievalPlan plan) {
    ExportedModel exported = export(plan);
    int[][] prompts = prompts();
    MemoryFormula formula = new MemoryFormula(plan, memory.scoreScale());
    int neighbors = plan.neighbors();
    int numFound = 0;
    try (LoadedLanguageModel model = LoadedLanguageModel.open(storage, exported.directory());
        GraphReference encoder = new GraphReference(config, memory, weights, 1)) {
      float[] found = model.nextLogProbabilities(prompts);
      float[] wide = model.run(SignatureNames.NEXT_TOKEN_INT64, prompts, true);
      assertThat(wide).usingComparatorWithPrecision(1e-5f).containsExactly(found);
      LoadedLanguageModel.Retrieved retrieved = model.retrieve(prompts);
      assertThat(retrieved.numNeighbors()).isEqualTo(neighbors);
      for (int i = 0; i < prompts.length; i++) {
        GraphReference.Encoded encoded = encoder.encode(prompts[i]);
        MemoryFormula.Expected expected =
            formula.next(prompts[i], encoded.logits(), encoded.taps());
        for (int w = 0; w < VOCABULARY; w++) {
          assertThat((double) found[i * VOCABULARY + w])
              .as("row %s, word %s", i, w)
              .isCloseTo(Math.log(expected.probabilities()[w]), within(1e-4));
        }
        assertThat((double) retrieved.memoryShares()[i])
            .isCloseTo(expected.memoryShare(), within(1e-5));
        for (int k = 0; k < neighbors; k++) {
          int at = i * neighbors + k;
          if (k >= expected.items().size()) {
            assertThat(retrieved.documents()[at]).isEqualTo(-1);
            assertThat(retrieved.positions()[at]).isEqualTo(-1);
            assertThat(retrieved.tokens()[at]).isEqualTo(-1);
            assertThat(retrieved.scores()[at]).isEqualTo(-1e30f);
            assertThat(retrieved.shares()[at]).isZero();
            continue;
          }
          MemoryFormula.Item item = expected.items().get(k);
          assertThat((double) retrieved.scores()[at]).isCloseTo(item.score(), within(1e-4));
          assertThat((double) retrieved.shares()[at]).isCloseTo(expected.shares()[k], within(1e-5));
          if (clear(expected.items(), k)) {
            numFound++;
            int document = store.document(item.number());
            assertThat(retrieved.tokens()[at]).isEqualTo(item.word());
            assertThat(retrieved.documents()[at]).isEqualTo(document);
            assertThat(retrieved.positions()[at])
                .isEqualTo(item.number() - store.documents().get(document).firstItem());
          }
        }
      }
    }
    assertThat(numFound).isGreaterThan(neighbors);
    return exported;
  }

  /** No other item has nearly the same score, so that rounding cannot exchange it. */
  private static boolean clear(List<MemoryFormula.Item> items, int k) {
    return (k == 0 || items.get(k - 1).score() - items.get(k).score() > 1e-4)
        && (k + 1 == items.size() || items.get(k).score() - items.get(k + 1).score() > 1e-4);
  }

  private static int[][] prompts() {
    Random random = new Random(5);
    int[][] prompts = new int[NUM_PROMPTS][];
    for (int i = 0; i < NUM_PROMPTS; i++) {
      prompts[i] = ExportFixtures.randomPrompt(random, ExportFixtures.MAX_POSITIONS);
    }
    prompts[0] = new int[] {3};
    return prompts;
  }

  private ExportedModel export(RetrievalPlan plan) {
    return LanguageModelExporter.export(storage, request().withRetrieval(plan));
  }

  private ExportRequest request() {
    return ExportRequest.of(config, memory, weights, directory.resolve("m"), 1);
  }

  /** One list holds nearly all, one a single key, one none. */
  @Test
  void listsOfVeryDifferentSizes() {
    int width = store.width();
    int[][] items = {
      IntStream.range(3, store.numItems() - 2).toArray(),
      {},
      {0},
      {1, 2, store.numItems() - 2, store.numItems() - 1}
    };
    float[] centroids = new float[items.length * width];
    Random random = new Random(7);
    for (int i = 0; i < centroids.length; i++) {
      centroids[i] = (float) random.nextGaussian();
    }
    IvfIndex index = MemoryFixtures.index(store, Metric.INNER_PRODUCT, centroids, items);
    StoredMemory stored = StoredMemory.of(store, index);
    compare(new RetrievalPlan(stored, 6, 2, mixing("trime"), true));
  }

  /** Where the probed list is empty, a row keeps P_1 and says that nothing was found. */
  @Test
  void nothingFoundKeepsTheModelsOwnAnswer() {
    int width = store.width();
    float[] centroids = new float[2 * width];
    Arrays.fill(centroids, width, 2 * width, 1e4f);
    int[][] items = {{}, IntStream.range(0, store.numItems()).toArray()};
    IvfIndex index = MemoryFixtures.index(store, Metric.SQUARED_L2, centroids, items);
    MemoryMixing mixing = new MemoryMixing(Mixing.shared(1), new ExternalMixing(true, 0.5, 0.4));
    ExportedModel with =
        export(new RetrievalPlan(StoredMemory.of(store, index), 4, 1, mixing, true));
    ExportedModel without =
        LanguageModelExporter.export(
            storage, ExportRequest.of(config, memory, weights, directory.resolve("plain"), 1));
    int[][] prompts = prompts();
    try (LoadedLanguageModel model = LoadedLanguageModel.open(storage, with.directory());
        LoadedLanguageModel plain = LoadedLanguageModel.open(storage, without.directory())) {
      assertThat(model.nextLogProbabilities(prompts))
          .usingComparatorWithPrecision(1e-5f)
          .containsExactly(plain.nextLogProbabilities(prompts));
      assertThat(model.retrieve(prompts).documents()).containsOnly(-1L);
      assertThat(model.retrieve(prompts).shares()).containsOnly(0f);
      assertThat(model.retrieves()).isTrue();
      assertThat(plain.retrieves()).isFalse();
      // scores of given texts do not ask the store
      assertThat(model.score(prompts)).containsExactly(plain.score(prompts));
    }
  }

  /** The same as evaluation's own search and mixing, with fewer probes than lists. */
  @Test
  void equalsTheBatchSearchOverTheSameIndex() {
    IvfIndex index = MemoryFixtures.index(store, Metric.SQUARED_L2, KeyEncoding.INT8, 12);
    RetrievalPlan plan =
        new RetrievalPlan(StoredMemory.of(store, index), 8, 3, mixing("trime"), true);
    ExportedModel exported = export(plan);
    int[][] prompts = prompts();
    int numClear = 0;
    try (LoadedLanguageModel model = LoadedLanguageModel.open(storage, exported.directory());
        RetrievalReference reference = new RetrievalReference(config, memory, weights, plan)) {
      float[] found = model.nextLogProbabilities(prompts);
      float[][] expected = reference.nextLogProbabilities(prompts);
      for (int i = 0; i < prompts.length; i++) {
        numClear += reference.isClear(prompts[i]) ? 1 : 0;
        assertThat(Arrays.copyOfRange(found, i * VOCABULARY, (i + 1) * VOCABULARY))
            .usingComparatorWithPrecision(1e-4f)
            .containsExactly(expected[i]);
      }
    }
    assertThat(numClear).isGreaterThan(NUM_PROMPTS / 2);
    assertThat(exported.maxDifference()).isLessThan(1e-4);
  }

  @Test
  void verificationReplaysAndComparesAlsoAfterAMove() throws Exception {
    ExportedModel exported = export(plan(KeyEncoding.INT8, 5, 2));
    assertThat(exported.memoryBytes()).isGreaterThan(0);
    Path moved = directory.resolve("elsewhere").resolve("7");
    Files.createDirectories(moved.getParent());
    Files.move(exported.directory(), moved);
    assertThat(ModelVerifier.verify(storage, moved).checks())
        .extracting(VerificationReport.Check::name)
        .containsExactly("manifest", "graph", "variables", "warm-up", "parity", "retrieval");
  }

  /** A reference that asks another memory must stop the publication. */
  @Test
  void anotherMixingIsNoticed() throws Exception {
    RetrievalPlan plan = plan(KeyEncoding.FLOAT32, 1, 1);
    RetrievalPlan other =
        new RetrievalPlan(
            plan.memory(), plan.neighbors(), 1, MemoryMixing.externalOnly(0.8, 0.36), true);
    try (RetrievalReference reference = new RetrievalReference(config, memory, weights, other)) {
      ExportRequest request = request().withRetrieval(plan).withReference(reference);
      assertThatThrownBy(() -> LanguageModelExporter.export(storage, request))
          .isInstanceOf(FailedException.class)
          .hasMessageContaining("recorded");
    }
    assertThat(Files.list(directory.resolve("m"))).isEmpty();
  }

  private RetrievalPlan plan(KeyEncoding encoding, int numLists, int probes) {
    IvfIndex index = MemoryFixtures.index(store, Metric.INNER_PRODUCT, encoding, numLists);
    return new RetrievalPlan(StoredMemory.of(store, index), 8, probes, mixing("knn"), false);
  }

  @Test
  void removedDocumentsAreNowhereInTheBundle() {
    float[] removedKeys =
        store.keys(store.documents().get(4).firstItem(), store.documents().get(4).numItems());
    int numItems = store.numItems();
    store.close();
    DatastoreEditor editor = new DatastoreEditor(storage, directory.resolve("store"));
    editor.remove(name -> name.equals("document-4-end"), false);
    store = Datastore.open(storage, directory.resolve("store"));
    assertThat(store.numItems()).isEqualTo(numItems - removedKeys.length / store.width());
    ExportedModel exported = exportAfterRemoval();

    ExportFixtures.files(exported.directory())
        .forEach(
            (name, bytes) ->
                assertThat(new String(bytes, StandardCharsets.ISO_8859_1))
                    .as(name)
                    .doesNotContain("document-4-end"));
    float[] codes =
        TensorBundle.read(
                exported.directory().resolve("variables").resolve("variables"),
                List.of("retrieval/codes"))
            .get("retrieval/codes")
            .values();
    assertThat(codes).hasSize(store.numItems() * store.width());
    for (int row = 0; row < codes.length; row += store.width()) {
      float[] key = Arrays.copyOfRange(codes, row, row + store.width());
      for (int other = 0; other < removedKeys.length; other += store.width()) {
        assertThat(key).isNotEqualTo(Arrays.copyOfRange(removedKeys, other, other + store.width()));
      }
    }
  }

  /** Numbers of documents run through the live ones, as documents.jsonl says. */
  private ExportedModel exportAfterRemoval() {
    ExportedModel exported = export(plan(KeyEncoding.FLOAT32, 1, 1));
    List<String> lines = documents(exported);
    assertThat(lines).hasSize(MemoryFixtures.NUM_DOCUMENTS - 1);
    assertThat(lines.get(3)).contains("document-3-end");
    assertThat(lines.get(4)).contains("\"document\":4").contains("document-5-end");
    int[][] prompts = prompts();
    try (LoadedLanguageModel model = LoadedLanguageModel.open(storage, exported.directory())) {
      assertThat(Arrays.stream(model.retrieve(prompts).documents()).max())
          .hasValue(MemoryFixtures.NUM_DOCUMENTS - 2L);
    }
    return exported;
  }

  private static List<String> documents(ExportedModel exported) {
    byte[] bytes =
        ExportFixtures.files(exported.directory()).get("assets.extra/" + DocumentsFile.NAME);
    return new String(bytes, StandardCharsets.UTF_8).lines().toList();
  }

  @Test
  void cardNamesSearchAndMixing() {
    ExportedModel exported = export(plan(KeyEncoding.INT8, 5, 2));
    Path extra = exported.directory().resolve(LanguageModelExporter.EXTRA);
    Map<String, Object> facts = JsonFile.read(storage, extra.resolve("signature.json"));
    assertThat(facts.get("retrieval"))
        .asInstanceOf(InstanceOfAssertFactories.map(String.class, Object.class))
        .containsEntry("neighbors", 8L)
        .containsEntry("probes", 2L)
        .containsEntry("numLists", 5L)
        .containsEntry("index", "ivf")
        .containsEntry("encoding", "int8")
        .containsEntry("numItems", (long) store.numItems())
        .containsEntry("numDocuments", (long) MemoryFixtures.NUM_DOCUMENTS)
        .extractingByKey("mixing")
        .asInstanceOf(InstanceOfAssertFactories.map(String.class, Object.class))
        .containsEntry("externalTemperature", 0.8)
        .containsEntry("externalInterpolation", 0.35)
        .containsEntry("tuned", false);
    String card =
        new String(
            ExportFixtures.files(exported.directory()).get("assets.extra/card.md"),
            StandardCharsets.UTF_8);
    assertThat(card)
        .contains("Of 5 lists the 2 nearest are searched")
        .contains("the 8 nearest items are used")
        .contains("items interpolated with weight 0.35 at temperature 0.8 (defaults, not tuned)")
        .contains("memory_share");
  }

  @Test
  void defaultsFollowTheObjective() {
    MemoryMixing none =
        RetrievalPlan.defaultMixing(ExportFixtures.memory(MemoryObjective.NONE, config), 0.7);
    assertThat(none.recent()).isEqualTo(Mixing.linear(1, 0));
    assertThat(none.external().shared()).isFalse();
    MemoryMixing local = RetrievalPlan.defaultMixing(memory, 0.7);
    assertThat(local.recent()).isEqualTo(Mixing.shared(0.7));
    assertThat(local.external().shared()).isFalse();
    MemoryMixing external =
        RetrievalPlan.defaultMixing(ExportFixtures.memory(MemoryObjective.EXTERNAL, config), 0.7);
    assertThat(external.external()).isEqualTo(MemoryMixing.PUBLISHED.external());
  }

  @Test
  void tooLargeMemoriesAreRefused() {
    StoredMemory.requireSize(StoredMemory.MAX_BYTES, "m");
    assertThatThrownBy(() -> StoredMemory.requireSize(StoredMemory.MAX_BYTES + 1, "STORE"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("STORE needs 2147483648 bytes")
        .hasMessageContaining("evaluation.encoding=int8");
  }
}
