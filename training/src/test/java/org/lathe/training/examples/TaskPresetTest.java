package org.lathe.training.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.metrics.Metric;

class TaskPresetTest {
  @TempDir Path directory;

  @Test
  void singleSentences() throws Exception {
    assertThat(only(TaskPreset.SST_2, "sentence\tlabel", "fine \t1"))
        .isEqualTo(new Example("0", "fine ", null, 1));
    assertThat(only(TaskPreset.SST_2, "index\tsentence", "41\tfine"))
        .isEqualTo(new Example("41", "fine", null, Double.NaN));
    assertThat(only(TaskPreset.COLA, "xy01\t0\t*\tThem sings.", null))
        .isEqualTo(new Example("0", "Them sings.", null, 0));
    assertThat(only(TaskPreset.COLA, "index\tsentence", "3\tShe sings."))
        .isEqualTo(new Example("3", "She sings.", null, Double.NaN));
  }

  @Test
  void pairs() throws Exception {
    assertThat(
            only(TaskPreset.RTE, "index\tsentence1\tsentence2\tlabel", "5\ta\tb\tnot_entailment"))
        .isEqualTo(new Example("5", "a", "b", 1));
    assertThat(only(TaskPreset.RTE, "index\tsentence1\tsentence2", "5\ta\tb").isLabelled())
        .isFalse();
    assertThat(
            only(
                TaskPreset.STS_B,
                "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore",
                "1\tg\tf\t2012\t0001\tnone\tnone\ta\tb\t3.800"))
        .isEqualTo(new Example("1", "a", "b", 3.8));
    assertThat(only(TaskPreset.STS_B, "sentence1\tsentence2\tscore", "a\tb\t0.000"))
        .isEqualTo(new Example("0", "a", "b", 0));
    assertThat(
            only(
                TaskPreset.MRPC,
                "\uFEFFQuality\t#1 ID\t#2 ID\t#1 String\t#2 String",
                "1\t7\t8\ta\tb"))
        .isEqualTo(new Example("0", "a", "b", 1));
    assertThat(only(TaskPreset.MRPC, "index\t#1 ID\t#2 ID\t#1 String\t#2 String", "0\t7\t8\ta\tb"))
        .isEqualTo(new Example("0", "a", "b", Double.NaN));
    assertThat(only(TaskPreset.MRPC, "sentence1\tsentence2\tlabel", "a\tb\t0").label())
        .isEqualTo(0);
    assertThat(only(TaskPreset.QNLI, "index\tquestion\tsentence\tlabel", "2\ta\tb\tentailment"))
        .isEqualTo(new Example("2", "a", "b", 0));
    assertThat(only(TaskPreset.QNLI, "question\tsentence\tlabel", "a\tb\tentailment").label())
        .isEqualTo(0);
    assertThat(only(TaskPreset.QQP, "question1\tquestion2\tlabel", "a\tb\t1").label()).isEqualTo(1);
    assertThat(only(TaskPreset.QQP, "id\tquestion1\tquestion2", "9\ta\tb"))
        .isEqualTo(new Example("9", "a", "b", Double.NaN));
  }

  @Test
  void mnliTakesTheGoldLabel() throws Exception {
    String header =
        "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1\tsentence2\tlabel1\tgold_label";
    assertThat(
            only(TaskPreset.MNLI, header, "6\tp\tq\tg\tx\tx\tx\tx\ta\tb\tneutral\tcontradiction"))
        .isEqualTo(new Example("6", "a", "b", 2));
    assertThat(
            only(TaskPreset.MNLI, "sentence1\tsentence2\tlabel\trelatedness", "a\tb\tneutral\t4"))
        .isEqualTo(new Example("0", "a", "b", 1));
  }

  @Test
  void onlyQqpLeavesBrokenRowsOut() throws Exception {
    String header = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n";
    Path file =
        Files.writeString(
            directory.resolve("train.tsv"),
            header + "1\t2\t3\ta\tb\t1\nbroken\n4\t5\t6\tc\td\t0\n");
    Examples examples = new ExampleReader(LocalStorage.INSTANCE).read(file, TaskPreset.QQP);
    assertThat(examples.numSkipped()).isEqualTo(1);
    assertThat(examples.examples()).extracting(Example::id).containsExactly("1", "4");
    Files.writeString(file, header + "1\t2\t3\ta\tb\t1\n".repeat(20) + "broken\n".repeat(11));
    assertThatThrownBy(() -> new ExampleReader(LocalStorage.INSTANCE).read(file, TaskPreset.QQP))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("11 of 31 rows");
    assertThatThrownBy(() -> read(TaskPreset.SST_2, "sentence\tlabel\nx\t1\nbroken\n"))
        .hasMessageContaining("line 3");
  }

  @Test
  void wrongFilesAndNames() {
    assertThatThrownBy(() -> read(TaskPreset.QNLI, "sentence\tlabel\nx\t1\n"))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("has the columns [sentence, label]; qnli needs [question, sentence]");
    assertThatThrownBy(() -> TaskPreset.named("sst-3"))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("sst-2, cola, rte, sts-b, mrpc, qnli, mnli, qqp, squad");
    assertThatThrownBy(() -> read(TaskPreset.SST_2, "index\tsentence\n0\tx\n").labelValues())
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("has no labels");
  }

  @Test
  void namesKindsAndMetrics() {
    assertThat(TaskPreset.named("SST2")).isEqualTo(TaskPreset.SST_2);
    assertThat(TaskPreset.named("sts-b")).isEqualTo(TaskPreset.STS_B);
    assertThat(TaskPreset.COLA.metrics().selecting()).containsExactly(Metric.MATTHEWS);
    assertThat(TaskPreset.STS_B.metrics().selecting())
        .containsExactly(Metric.PEARSON, Metric.SPEARMAN);
    assertThat(TaskPreset.MRPC.metrics().reported()).containsExactly(Metric.ACCURACY, Metric.F1);
    assertThat(TaskPreset.SQUAD.metrics().selecting()).containsExactly(Metric.ANSWER_F1);
    assertThat(Arrays.stream(TaskPreset.values()).filter(p -> p.labels() != null))
        .allMatch(p -> p.kind() == TaskKind.CLASSIFICATION)
        .hasSize(7);
  }

  private Example only(TaskPreset preset, String first, String second) throws IOException {
    Examples examples = read(preset, second == null ? first : first + "\n" + second + "\n");
    assertThat(examples.size()).isEqualTo(1);
    return examples.examples().get(0);
  }

  private Examples read(TaskPreset preset, String content) throws IOException {
    Path file = Files.writeString(directory.resolve("file.tsv"), content);
    return new ExampleReader(LocalStorage.INSTANCE).read(file, preset);
  }
}
