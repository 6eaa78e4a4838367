package org.lathe.export.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.export.EncoderFixtures;
import org.lathe.export.ExportFixtures;
import org.lathe.export.format.WarmupFile;
import org.lathe.export.format.WarmupRequest;
import org.lathe.export.savedmodel.EncoderExportRequest;
import org.lathe.export.savedmodel.EncoderExporter;
import org.lathe.export.savedmodel.LanguageModelExporter;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;

/** Encoders, checked as a fresh process does. */
final class EncoderVerifierTest {
  private final Storage storage = LocalStorage.INSTANCE;

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"classes", "spans"})
  void exportedEncoderPassesAlsoAfterAMove(String task) throws Exception {
    Path exported = export(task, 17);
    VerificationReport report = ModelVerifier.verify(storage, exported);
    assertThat(report.checks())
        .extracting(VerificationReport.Check::name)
        .containsExactly("manifest", "graph", "variables", "warm-up", "parity");
    assertThat(report.checks().get(4).finding())
        .startsWith("8 recorded sequences, 4 of them by ids alone");
    assertThat(report.maxDifference()).isLessThan(1e-5);
    Path moved = directory.resolve("elsewhere").resolve("7");
    Files.createDirectories(moved.getParent());
    Files.move(exported, moved);
    assertThat(ModelVerifier.verify(storage, moved).checks()).hasSameSizeAs(report.checks());
  }

  @Test
  void everyDamagedFileIsDetected() throws Exception {
    Path exported = export("classes", 17);
    Random random = new Random(1);
    for (Map.Entry<String, byte[]> file : ExportFixtures.files(exported).entrySet()) {
      Path path = exported.resolve(file.getKey());
      byte[] flipped = file.getValue().clone();
      flipped[random.nextInt(flipped.length)] ^= 1 << random.nextInt(8);
      Files.write(path, flipped);
      requireRefused(exported, path);
      Files.delete(path);
      requireRefused(exported, path);
      Files.write(path, file.getValue());
    }
    ModelVerifier.verify(storage, exported);
  }

  private void requireRefused(Path exported, Path damaged) {
    assertThatThrownBy(() -> ModelVerifier.verify(storage, exported))
        .as(damaged.toString())
        .isInstanceOf(CorruptFileException.class);
  }

  /** Parity must fail when variables are whole but others. */
  @ParameterizedTest
  @ValueSource(strings = {"regression", "spans"})
  void foreignVariablesAreDetectedByTheRecordedOutputs(String task) throws Exception {
    Path first = export(task, 17);
    Path second = export(task, 18);
    for (String name : new String[] {"variables.index", "variables.data-00000-of-00001"}) {
      Files.write(
          first.resolve("variables").resolve(name),
          Files.readAllBytes(second.resolve("variables").resolve(name)));
    }
    assertThatThrownBy(() -> ModelVerifier.verifyContents(storage, first))
        .isInstanceOf(FailedException.class)
        .hasMessageContaining("recorded");
  }

  /** One value of one output of the longest sequence, beyond the tolerance. */
  @Test
  void everyRecordedValueCounts() throws Exception {
    Path exported = export("spans", 17);
    List<EncoderCase> cases = EncoderReferenceFile.read(storage, exported);
    EncoderCase longest = cases.get(cases.size() - 1);
    assertThat(longest.ids()).hasSize(EncoderFixtures.MAX_LENGTH);
    float[] ends = longest.outputs().get("end_logits");
    ends[ends.length - 1] += 2e-4f;
    rewrite(exported, cases);
    assertThatThrownBy(() -> ModelVerifier.verifyContents(storage, exported))
        .isInstanceOf(FailedException.class)
        .hasMessageContaining("end_logits, value " + (ends.length - 1));
  }

  @Test
  void recordsOfAnotherShapeAreRefused() throws Exception {
    Path exported = export("classes", 17);
    EncoderCase sound = EncoderReferenceFile.read(storage, exported).get(0);
    for (Map<String, float[]> outputs :
        List.of(
            Map.of("logits", new float[3]),
            Map.of("logits", new float[2], "probabilities", new float[3]))) {
      rewrite(exported, List.of(new EncoderCase(sound.ids(), sound.types(), outputs)));
      assertThatThrownBy(() -> ModelVerifier.verifyContents(storage, exported))
          .isInstanceOf(CorruptFileException.class);
    }
  }

  private void rewrite(Path exported, List<EncoderCase> cases) throws Exception {
    Files.delete(exported.resolve("assets.extra").resolve("reference.json"));
    EncoderReferenceFile.write(storage, exported, cases);
  }

  @Test
  void warmupThatTheGraphCannotAnswerIsRefused() throws Exception {
    Path exported = export("classes", 17);
    Path file = exported.resolve(WarmupFile.PATH);
    for (WarmupRequest wrong :
        List.of(
            new WarmupRequest("score", false, new int[][] {{1, 2}}),
            new WarmupRequest("serving_default", false, new int[][] {{1, 2}}))) {
      Files.delete(file);
      WarmupFile.write(storage, file, List.of(wrong));
      assertThatThrownBy(() -> ModelVerifier.verifyContents(storage, exported))
          .isInstanceOf(CorruptFileException.class)
          .hasMessageContaining("record 0");
    }
  }

  @Test
  void eachKindIsOpenedByItsOwnLoader() throws Exception {
    Path encoder = export("classes", 17);
    Path decoder =
        LanguageModelExporter.export(
                storage,
                ExportFixtures.request(
                    ExportFixtures.uniform(), MemoryObjective.NONE, directory.resolve("lm")))
            .directory();
    assertThatThrownBy(() -> LoadedLanguageModel.open(storage, encoder))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("language model");
    assertThatThrownBy(() -> LoadedEncoder.open(storage, decoder))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("encoder");
    Files.delete(encoder.resolve("assets.extra").resolve("signature.json"));
    assertThatThrownBy(() -> LoadedEncoder.open(storage, encoder))
        .isInstanceOf(CorruptFileException.class);
    Files.write(
        encoder.resolve("assets.extra").resolve("signature.json"),
        "{\"encoder\": {\"vocabularySize\": 40, \"maxLength\": 20, \"paddingId\": 40, \"labels\": []}}"
            .getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> LoadedEncoder.open(storage, encoder))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("paddingId");
  }

  private Path export(String task, long seed) throws Exception {
    EncoderConfig encoder = EncoderFixtures.bert();
    HeadConfig head = EncoderFixtures.head(task, encoder);
    EncoderExportRequest request =
        EncoderExportRequest.of(
            encoder,
            head,
            EncoderFixtures.randomWeights(encoder, head, seed),
            directory.resolve(task + "-" + seed),
            1,
            EncoderFixtures.PADDING);
    Path exported = EncoderExporter.export(storage, request).directory();
    try (Stream<Path> versions = Files.list(request.baseDirectory())) {
      assertThat(Arrays.asList(versions.toArray())).containsExactly(exported);
    }
    return exported;
  }
}
