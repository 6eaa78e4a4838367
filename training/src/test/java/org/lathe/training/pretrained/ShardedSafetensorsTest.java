package org.lathe.training.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.LocalStorage;
import org.tensorflow.ndarray.Shape;

class ShardedSafetensorsTest {
  private static final LocalStorage DISK = LocalStorage.INSTANCE;

  @TempDir Path root;
  private Path directory;
  private Path index;

  @BeforeEach
  void writeShards() throws IOException {
    directory = Files.createDirectory(root.resolve("model"));
    index = directory.resolve("model.safetensors.index.json");
    SafetensorsWriter.write(
        DISK,
        directory.resolve("m-1.safetensors"),
        new Weights()
            .put("a", Shape.of(1), new float[] {1})
            .put("b", Shape.of(1), new float[] {2}));
    SafetensorsWriter.write(
        DISK,
        directory.resolve("m-2.safetensors"),
        new Weights().put("c", Shape.of(2), new float[] {3, 4}));
    Files.copy(directory.resolve("m-2.safetensors"), root.resolve("outside.safetensors"));
  }

  @Test
  void tensorsComeFromTheirShards() throws IOException {
    ShardedSafetensors shards =
        open("{\"a\":\"m-1.safetensors\",\"b\":\"m-1.safetensors\",\"c\":\"m-2.safetensors\"}");
    assertThat(shards.names()).containsExactlyInAnyOrder("a", "b", "c");
    assertThat(shards.read("b").values()).containsExactly(2);
    assertThat(shards.read("c").values()).containsExactly(3, 4);
    assertThat(shards.shape("c")).isEqualTo(Shape.of(2));
    assertThatThrownBy(() -> shards.read("d")).isInstanceOf(CorruptFileException.class);
  }

  @Test
  void namesStayInsideTheDirectory() throws IOException {
    Files.createSymbolicLink(
        directory.resolve("link.safetensors"), root.resolve("outside.safetensors"));
    Files.createDirectory(directory.resolve("d.safetensors"));
    String[] names = {
      "../outside.safetensors",
      "./m-2.safetensors",
      "x/../m-2.safetensors",
      "m-2.safetensors/",
      "..\\\\outside.safetensors",
      "C:outside.safetensors",
      "\\u0000m-2.safetensors",
      "m-2.safetensors\\u0000.safetensors",
      root.resolve("outside.safetensors").toString(),
      "//m-2.safetensors",
      "link.safetensors",
      "d.safetensors",
      "absent.safetensors",
      ".safetensors/../../outside.safetensors",
      "model.safetensors.index.json",
      "",
      " "
    };
    for (String name : names) {
      assertThatThrownBy(() -> open("{\"c\":\"" + name + "\"}"))
          .as(name)
          .isInstanceOf(CorruptFileException.class);
    }
  }

  @Test
  void falseIndicesAreRefused() throws IOException {
    for (String map :
        new String[] {
          "{}", "[]", "null", "{\"c\":1}", "{\"c\":\"m-1.safetensors\"}", "{\"c\":[[[["
        }) {
      assertThatThrownBy(() -> open(map)).as(map).isInstanceOf(CorruptFileException.class);
    }
    assertThatThrownBy(() -> open("{\"a\":\"m-1.safetensors\",\"a\":\"m-1.safetensors\"}"))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("Duplicate");
  }

  @Test
  void limitsHoldAtTheLimitAndNotBeyond() throws IOException {
    assertThat(ShardedSafetensors.MAX_SHARDS).isEqualTo(10_000);
    assertThat(ShardedSafetensors.MAX_TENSORS).isEqualTo(1_000_000);
    Files.writeString(
        index, "{\"weight_map\":{\"a\":\"m-1.safetensors\",\"c\":\"m-2.safetensors\"}}");
    ShardedSafetensors.open(DISK, index, 2, 2);
    assertThatThrownBy(() -> ShardedSafetensors.open(DISK, index, 1, 2))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("1 files");
    assertThatThrownBy(() -> ShardedSafetensors.open(DISK, index, 2, 1))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("1 tensors");
  }

  private ShardedSafetensors open(String weightMap) throws IOException {
    Files.writeString(index, "{\"metadata\":{\"total_size\":16},\"weight_map\":" + weightMap + "}");
    return ShardedSafetensors.open(DISK, index);
  }
}
