package org.lathe.export.verification;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.lathe.export.ExportFixtures;
import org.lathe.export.format.SavedModelInspector;
import org.lathe.export.savedmodel.ExportRequest;
import org.lathe.export.savedmodel.ExportedModel;
import org.lathe.export.savedmodel.LanguageModelExporter;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.FailedException;
import org.lathe.graphs.errors.LatheException;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.files.Storage;

final class ModelVerifierTest {
  private final Storage storage = LocalStorage.INSTANCE;

  @TempDir Path directory;

  @ParameterizedTest
  @EnumSource(
      value = MemoryObjective.class,
      names = {"NONE", "LOCAL"})
  void exportedModelPassesAlsoAfterAMove(MemoryObjective objective) throws Exception {
    ExportedModel exported = export(objective);
    VerificationReport report = ModelVerifier.verify(storage, exported.directory());
    assertThat(report.checks())
        .extracting(VerificationReport.Check::name)
        .containsExactly("manifest", "graph", "variables", "warm-up", "parity");
    assertThat(report.maxDifference()).isLessThan(1e-5);

    Path moved = directory.resolve("elsewhere").resolve("7");
    Files.createDirectories(moved.getParent());
    Files.move(exported.directory(), moved);
    assertThat(ModelVerifier.verify(storage, moved).checks()).hasSameSizeAs(report.checks());
  }

  @Test
  void everyDamagedFileIsDetected() throws Exception {
    Path exported = export(MemoryObjective.LOCAL).directory();
    Random random = new Random(1);
    for (Map.Entry<String, byte[]> file : ExportFixtures.files(exported).entrySet()) {
      Path path = exported.resolve(file.getKey());
      byte[] flipped = file.getValue().clone();
      flipped[random.nextInt(flipped.length)] ^= 1 << random.nextInt(8);
      Files.write(path, flipped);
      requireRefused(exported, path);
      Files.write(path, Arrays.copyOf(file.getValue(), file.getValue().length / 2));
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

  /** The manifest aside: the loader itself must not accept a model without its variables. */
  @Test
  void missingOrCutVariablesDoNotLoad() throws Exception {
    Path exported = export(MemoryObjective.NONE).directory();
    Path data = exported.resolve("variables").resolve("variables.data-00000-of-00001");
    Files.write(data, new byte[100]);
    assertThatThrownBy(() -> LoadedLanguageModel.open(storage, exported))
        .isInstanceOf(CorruptFileException.class);
    Files.delete(exported.resolve("variables").resolve("variables.index"));
    assertThatThrownBy(() -> LoadedLanguageModel.open(storage, exported))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("variables.index is missing");
  }

  /** Parity must fail when variables are whole but others. */
  @Test
  void foreignVariablesAreDetectedByTheRecordedOutputs() throws Exception {
    Path first = export(MemoryObjective.NONE).directory();
    Path second =
        LanguageModelExporter.export(
                storage,
                ExportRequest.of(
                    ExportFixtures.uniform(),
                    ExportFixtures.memory(MemoryObjective.NONE, ExportFixtures.uniform()),
                    ExportFixtures.randomWeights(ExportFixtures.uniform(), 99),
                    directory.resolve("other"),
                    1))
            .directory();
    for (String name : new String[] {"variables.index", "variables.data-00000-of-00001"}) {
      Files.write(
          first.resolve("variables").resolve(name),
          Files.readAllBytes(second.resolve("variables").resolve(name)));
    }
    assertThatThrownBy(() -> ModelVerifier.verifyContents(storage, first))
        .isInstanceOf(FailedException.class)
        .hasMessageContaining("recorded");
  }

  @Test
  void hostileGraphsGiveDeclaredErrorsOnly() throws IOException {
    Path exported = export(MemoryObjective.NONE).directory();
    byte[] bytes = Files.readAllBytes(exported.resolve(SavedModelInspector.FILE));
    assertThat(SavedModelInspector.summarize(bytes, "whole").variables()).isNotEmpty();
    Random random = new Random(2);
    for (int i = 0; i < 300; i++) {
      byte[] changed = Arrays.copyOf(bytes, 1 + random.nextInt(bytes.length));
      for (int k = 0; k < 4; k++) {
        changed[random.nextInt(changed.length)] = (byte) random.nextInt(256);
      }
      try {
        SavedModelInspector.summarize(changed, "changed");
      } catch (LatheException e) {
        assertThat(e).isInstanceOf(CorruptFileException.class);
      }
    }
    assertThatThrownBy(() -> SavedModelInspector.summarize(new byte[0], "empty"))
        .isInstanceOf(CorruptFileException.class);
    assertThatThrownBy(() -> SavedModelInspector.inspect(storage, directory.resolve("nothing")))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("missing");
  }

  private ExportedModel export(MemoryObjective objective) {
    return LanguageModelExporter.export(
        storage,
        ExportFixtures.request(
            ExportFixtures.uniform(), objective, directory.resolve(objective.name())));
  }
}
