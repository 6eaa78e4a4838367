package org.lathe.cli.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lathe.graphs.config.CompressionConfig;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;
import org.lathe.graphs.config.RecurrenceConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.training.files.LocalStorage;

class RunConfigReaderTest {
  private final RunConfigReader reader = new RunConfigReader(LocalStorage.INSTANCE);
  @TempDir Path directory;

  @Test
  void everyRecordComponentHasADefault() {
    JsonNode defaults =
        YamlTreeReader.read(Presets.text(Presets.DEFAULTS), Presets.DEFAULTS).root();
    assertComponents(RunConfig.class, defaults, "");
  }

  private static void assertComponents(Class<?> record, JsonNode node, String path) {
    for (RecordComponent component : record.getRecordComponents()) {
      String keyPath = path + component.getName();
      if (keyPath.equals("pruning.target.sparsity")
          || keyPath.equals("pruning.target.parameters")) {
        continue; // excluded by speedup
      }
      assertThat(node.has(component.getName())).as(keyPath).isTrue();
      if (component.getType().isRecord()) {
        assertComponents(component.getType(), node.get(component.getName()), keyPath + ".");
      }
    }
  }

  @Test
  void everyPresetBinds() {
    for (String preset : Presets.names()) {
      assertThat(reader.read(null, preset, Overrides.NONE)).as(preset).isNotNull();
      assertThat(Presets.summary(preset)).as(preset).isNotBlank();
    }
  }

  @Test
  void demoIsTheModelOfTheReferenceRun() {
    RunConfig demo = reader.read(null, "demo", Overrides.NONE);
    assertThat(demo.model().hiddenSize()).isEqualTo(96);
    assertThat(demo.model().intermediateSize()).isEqualTo(384);
    assertThat(demo.training().steps()).isEqualTo(800);
    assertThat(demo.training().learningRate()).isEqualTo(2e-3);
    assertThat(demo.tokensPerStep()).isEqualTo(1024);
    assertThat(demo.memory().objective()).isEqualTo(MemoryObjective.LOCAL);
    RunConfig vanilla = reader.read(null, "demo-vanilla", Overrides.NONE);
    assertThat(vanilla)
        .isEqualTo(reader.read(null, "demo", new Overrides(List.of("memory.objective=none"))))
        .isNotEqualTo(demo);
  }

  @Test
  void layersWinInOrder() throws IOException {
    Path file = file("training:\n  steps: 30\n  learningRate: 2e-3\n");
    Overrides overrides =
        new Overrides(List.of("training.steps=50", "training.steps=60", "model.norm=post"));
    RunConfig config = reader.read(file, "tiny", overrides);
    assertThat(config.training().steps()).isEqualTo(60);
    assertThat(config.training().learningRate()).isEqualTo(0.002);
    assertThat(config.training().batchSize()).isEqualTo(4);
    assertThat(config.training().beta2()).isEqualTo(0.98);
  }

  @Test
  void aChoiceReplacesTheOther() throws IOException {
    Overrides sparsity = new Overrides(List.of("pruning.target.sparsity=0.6"));
    PruningSection.Target target = reader.read(null, "demo", sparsity).pruning().target();
    assertThat(target.sparsity()).isEqualTo(0.6);
    assertThat(target.speedup()).isNull();
    Overrides parameters = new Overrides(List.of("pruning.target.parameters=7000"));
    RunConfig config = reader.read(null, "demo", parameters);
    assertThat(config.pruning().target()).isEqualTo(new PruningSection.Target(null, null, 7000L));
    assertThat(RunConfigReader.toJson(config).path("pruning").path("target")).hasSize(1);
    Path both = file("pruning:\n  target: {sparsity: 0.6, parameters: 7000}\n");
    assertThatThrownBy(() -> reader.read(both, "demo", Overrides.NONE))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("exactly one of speedup, sparsity and parameters");
    assertThatThrownBy(
            () -> reader.read(null, "demo", new Overrides(List.of("pruning.target.parameters=0"))))
        .hasMessageContaining("pruning.target.parameters");
  }

  @Test
  void keySizeReachesTheModelAndTheScaleOfTheScores() {
    RunConfig wide = reader.read(null, "demo", Overrides.NONE);
    RunConfig narrow = reader.read(null, "demo", new Overrides(List.of("memory.keySize=64")));
    assertThat(wide.toTransformerConfig(300)).isEqualTo(wide.model().toTransformerConfig(300));
    assertThat(narrow.toTransformerConfig(300))
        .isEqualTo(wide.toTransformerConfig(300).withKeySize(64));
    int width = narrow.toTransformerConfig(300).tapWidth();
    assertThat(narrow.memory().toMemoryConfig(width).scoreScale()).isEqualTo(0.125);
  }

  @Test
  void jsonRoundTrip() {
    RunConfig config =
        reader.read(
            null,
            "demo",
            new Overrides(
                List.of("training.schedule=inverse-square-root", "pruning.target.sparsity=0.5")));
    JsonNode json = RunConfigReader.toJson(config);
    assertThat(json.at("/training/schedule").asText()).isEqualTo("inverse-square-root");
    assertThat(json.at("/model/norm").asText()).isEqualTo("pre");
    assertThat(RunConfigReader.fromJson(json, Overrides.NONE)).isEqualTo(config);
    assertThat(
            RunConfigReader.fromJson(json, new Overrides(List.of("evaluation.stride=32")))
                .evaluation()
                .stride())
        .isEqualTo(32);
  }

  @Test
  void recurrentPresets() {
    RunConfig xl = reader.read(null, "transformer-xl", Overrides.NONE);
    assertThat(xl.recurrence().toRecurrenceConfig())
        .isEqualTo(RecurrenceConfig.of(128).withClampLength(255));
    assertThat(xl.recurrence().toTestConfig().memoryLength()).isEqualTo(384);
    RunConfig compressive = reader.read(null, "compressive", Overrides.NONE);
    assertThat(compressive.recurrence().toTestConfig())
        .isEqualTo(compressive.recurrence().toRecurrenceConfig());
    assertThat(compressive.recurrence().toRecurrenceConfig().compression())
        .isEqualTo(new CompressionConfig(CompressionConfig.Kind.CONVOLUTION, 4, 64, 1));
    assertThat(RunConfigReader.fromJson(RunConfigReader.toJson(compressive), Overrides.NONE))
        .isEqualTo(compressive);
    assertThat(reader.read(null, "demo", Overrides.NONE).recurrence().present()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "model.norm=post,pre in a recurrent model",
    "memory.objective=consecutive,none or local in a recurrent model",
    "recurrence.memoryLength=64,at least training.segmentLength (128)",
    "recurrence.rate=5,a divisor of training.segmentLength (128)"
  })
  void recurrentModelsAreLimited(String override, String expected) {
    assertThatThrownBy(() -> reader.read(null, "compressive", new Overrides(List.of(override))))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "demo-vanilla,memory.objective=none,0 where memory.objective is none",
    "compressive,memory.objective=local,0 in a recurrent model"
  })
  void keysAreLearnedByAMemoryObjectiveOfAModelWithoutRecurrence(
      String preset, String objective, String expected) {
    Overrides overrides = new Overrides(List.of(objective, "memory.keySize=8"));
    assertThatThrownBy(() -> reader.read(null, preset, overrides))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("memory.keySize is 8")
        .hasMessageContaining(expected);
  }

  @Test
  void unknownKeyNamesLineAndSuggestion() throws IOException {
    Path file = file("model:\n  numLayers: 2\n  hiddenSze: 64\n");
    assertThatThrownBy(() -> reader.read(file, null, Overrides.NONE))
        .isInstanceOf(ConfigException.class)
        .hasMessage(
            "unknown key 'hiddenSze' in section 'model' (line 3 of "
                + file
                + "); did you mean 'hiddenSize'?");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "modle.numLayers=2 | unknown key 'modle' at the top level | did you mean 'model'?",
        "model.zzzzzz=2 | unknown key 'zzzzzz' in section 'model' | known keys: hiddenSize",
        "recurrence.memoryLength=-1 | recurrence.memoryLength is -1 | from 0 to",
        "recurrence.compression=pooling | recurrence.compression is 'pooling' | most-used",
        "recurrence.compression=most-used | recurrence.compression is MOST_USED | none where",
        "training.steps=many | training.steps is 'many' | expected a whole number",
        "training.steps=1.5 | training.steps is 1.5 | expected a whole number",
        "training.steps=99999999999 | training.steps is 99999999999 | expected a whole number",
        "training.steps=0 | training.steps is 0 | at least 1 (--set training.steps=0)",
        "training.beta1=yes | training.beta1 is true | expected a number",
        "model.tiedOutput=1 | model.tiedOutput is 1 | expected true or false",
        "training.optimizer=sgd | training.optimizer is 'sgd' | one of adamw, nag",
        "data.sources=a.txt | data.sources is 'a.txt' | a list",
        "model=3 | model is 3 | a section",
        "training.steps= | training.steps is nothing | a whole number",
        "model.numHeads=7 | model.numHeads is 7 | a divisor of model.hiddenSize (256)",
        "model.dropout=1 | model.dropout is 1.0 | below 1",
        "evaluation.stride=500 | evaluation.stride is 500 | from 1 to evaluation.window (128)",
        "pruning.target={} | pruning.target is empty | exactly one of",
        "pruning.gates=[head, head] | pruning.gates is [HEAD, HEAD] | at most once",
        "export.name=../x | export.name is '../x' | letters, digits",
        "training.segmentLength=1000 | training.segmentLength is 1000 | model.maxPositions (512)",
        "memory.segmentsPerGroup=4 | memory.segmentsPerGroup is 4 | objective is consecutive",
        "memory.keySize=-1 | memory.keySize is -1 | 0 or a width from 2 to model.hiddenSize (256)",
        "memory.keySize=1 | memory.keySize is 1 | 0 or a width from 2 to model.hiddenSize (256)",
        "memory.keySize=257 | memory.keySize is 257 | from 2 to model.hiddenSize (256)",
        "nokey | --set nokey has no key and value | section.key=value",
        "model.norm=[pre | not valid YAML | --set model.norm=[pre"
      })
  void wrongOverrides(String assignment, String what, String expected) {
    assertThatThrownBy(() -> reader.read(null, null, new Overrides(List.of(assignment))))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(what)
        .hasMessageContaining(expected)
        .hasMessageNotContaining("\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'model:\n  numLayers: 2\n  numLayers: 3\n' | appears twice in section 'model' (line 3)",
        "'seed: 1\n---\nseed: 2\n' | more than one document",
        "'- a\n- b\n' | is not a configuration",
        "'# nothing\n' | is empty",
        "'model: {hiddenSize: 3\n' | is not valid YAML (line",
        "'seed: 1\nmodel: !!java.net.URL [x]\n' | model is",
        "'x: &a {y: 1}\nmodel: {<<: *a}\n' | unknown key 'x'"
      })
  void wrongFiles(String yaml, String problem) throws IOException {
    Path file = file(yaml);
    assertThatThrownBy(() -> reader.read(file, null, Overrides.NONE))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(problem)
        .hasMessageNotContaining("\n");
  }

  @Test
  void emptySectionMeansDefaults() throws IOException {
    RunConfig config = reader.read(file("model:\nseed: 7\n"), null, Overrides.NONE);
    assertThat(config.seed()).isEqualTo(7);
    assertThat(config.model().hiddenSize()).isEqualTo(256);
  }

  @Test
  void missingFileAndPreset() {
    assertThatThrownBy(() -> reader.read(directory.resolve("no.yaml"), null, Overrides.NONE))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("no configuration at");
    assertThatThrownBy(() -> reader.read(directory, null, Overrides.NONE))
        .hasMessageContaining("is a directory");
    assertThatThrownBy(() -> reader.read(null, "dmo", Overrides.NONE))
        .hasMessageContaining("unknown preset 'dmo'; did you mean 'demo'?");
  }

  @Test
  void fileSizeLimit() throws IOException {
    String head = "seed: 5\n#";
    Path atLimit = file(head + "x".repeat(RunConfigReader.MAX_FILE_BYTES - head.length()));
    assertThat(reader.read(atLimit, null, Overrides.NONE).seed()).isEqualTo(5);
    Path above = file(head + "x".repeat(RunConfigReader.MAX_FILE_BYTES - head.length() + 1));
    assertThatThrownBy(() -> reader.read(above, null, Overrides.NONE))
        .hasMessageContaining("more than 1048576 bytes");
  }

  @Test
  void depthLimit() {
    String at = "[".repeat(YamlTreeReader.MAX_DEPTH) + "]".repeat(YamlTreeReader.MAX_DEPTH);
    assertThat(YamlTreeReader.readValue(at, "test").isArray()).isTrue();
    assertThatThrownBy(() -> YamlTreeReader.readValue("[" + at + "]", "test"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("nested deeper than 64 levels");
  }

  @Test
  void notUtf8() throws IOException {
    Path file = directory.resolve("latin.yaml");
    Files.write(file, "export:\n  name: caf\u00e9\n".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> reader.read(file, null, Overrides.NONE))
        .hasMessageContaining("is not UTF-8 text");
  }

  @Test
  void editDistances() {
    assertThat(Suggestions.editDistance("hiddenSze", "hiddenSize")).isEqualTo(1);
    assertThat(Suggestions.editDistance("kitten", "sitting")).isEqualTo(3);
    assertThat(Suggestions.editDistance("", "abc")).isEqualTo(3);
  }

  private Path file(String yaml) throws IOException {
    return Files.writeString(directory.resolve("my.yaml"), yaml);
  }
}
