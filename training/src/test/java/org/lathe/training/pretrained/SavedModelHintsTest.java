package org.lathe.training.pretrained;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.lathe.training.pretrained.OnnxFiles.message;
import static org.lathe.training.pretrained.OnnxFiles.raw;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.errors.LatheException;
import org.lathe.testdata.SeededCases;
import org.lathe.training.files.LocalStorage;

class SavedModelHintsTest {
  private static final String LAYER = "m/bert/encoder/layer_0/";

  @TempDir Path directory;

  @Test
  void constantsByGooglesNamesTellHeadsEpsilonAndActivation() throws IOException {
    SavedModelHints hints =
        read(
            model(
                heads(LAYER, 12),
                epsilon(1e-12f),
                node("Tanh", LAYER + "intermediate/dense/Tanh")));
    assertThat(hints.numHeads(768)).hasValue(12);
    assertThat(hints.numHeads(100)).isEmpty();
    assertThat(hints.normEpsilon()).hasValue(1e-12);
    assertThat(hints.activation()).isEqualTo("gelu_new");
    assertThat(read(model(node("Erf", LAYER + "intermediate/dense/Erf"))).activation())
        .isEqualTo("gelu");
    SavedModelHints unlike =
        read(
            model(
                heads(LAYER, 12),
                heads("m/bert/encoder/layer_1/", 6),
                epsilon(1e-12f),
                epsilon(1e-5f)));
    assertThat(unlike.numHeads(768)).isEmpty();
    assertThat(unlike.normEpsilon()).isEmpty();
    assertThat(unlike.activation()).isNull();
    assertThat(read(model(node("Tanh", "m/bert/pooler/dense/Tanh"))).activation()).isNull();
  }

  @Test
  void hostileGraphsAreRefused() throws IOException {
    byte[] sound = model(heads(LAYER, 12), epsilon(1e-12f));
    for (int length = sound.length - 1; length > 0; length -= 11) {
      byte[] cut = Arrays.copyOf(sound, length);
      assertThatThrownBy(() -> read(cut)).isInstanceOf(CorruptFileException.class);
    }
    assertThatThrownBy(() -> read(new byte[] {0x12, -1, -1, -1, -1, 7}))
        .isInstanceOf(CorruptFileException.class);
    assertThatThrownBy(() -> read(new byte[] {0x13, 0x14}))
        .isInstanceOf(CorruptFileException.class)
        .hasMessageContaining("group");
    SeededCases.run(
        500,
        random -> {
          try {
            read(SafetensorsReaderTest.damaged(sound, random));
          } catch (LatheException e) {
            assertThat(e.exitCode()).isEqualTo(3);
          }
        });
  }

  private SavedModelHints read(byte[] bytes) throws IOException {
    Path file = Files.write(Files.createTempFile(directory, "saved_model", ".pb"), bytes);
    return SavedModelHints.read(LocalStorage.INSTANCE, file);
  }

  private static byte[] heads(String layer, int value) {
    byte[] tensor =
        message(
            out -> {
              out.writeInt32(1, 3);
              out.writeByteArray(7, new byte[] {(byte) value});
            });
    return constant(layer + "attention/self/Reshape/shape/2", tensor);
  }

  private static byte[] epsilon(float value) {
    byte[] tensor = message(out -> out.writeByteArray(5, raw(value)));
    return constant(LAYER + "output/LayerNorm/batchnorm/add/y", tensor);
  }

  private static byte[] constant(String name, byte[] tensor) {
    byte[] value = message(out -> out.writeByteArray(8, tensor));
    byte[] attribute =
        message(
            out -> {
              out.writeString(1, "value");
              out.writeByteArray(2, value);
            });
    return message(
        out -> {
          out.writeString(1, name);
          out.writeString(2, "Const");
          out.writeByteArray(5, attribute);
        });
  }

  private static byte[] node(String op, String name) {
    return message(
        out -> {
          out.writeString(1, name);
          out.writeString(2, op);
          out.writeString(3, "input");
        });
  }

  private static byte[] model(byte[]... nodes) {
    byte[] graph =
        message(
            out -> {
              for (byte[] node : List.of(nodes)) {
                out.writeByteArray(1, node);
              }
            });
    byte[] meta = message(out -> out.writeByteArray(2, graph));
    return message(
        out -> {
          out.writeInt64(1, 1);
          out.writeByteArray(2, meta);
        });
  }
}
