package org.lathe.training.pretrained;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.Activation;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.NormPlacement;
import org.lathe.graphs.config.PositionEncoding;
import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;
import org.lathe.graphs.weights.Weights;
import org.lathe.training.files.Storage;
import org.tensorflow.ndarray.Shape;

/**
 * Reads pretrained encoders of the BERT family. Where a configuration lies beside the weights it is
 * believed and the shapes are held against it; where none does, sizes come from the shapes, and
 * heads, epsilon and activation from the graph.
 */
public final class PretrainedReader {
  private final Storage storage;
  private final CheckpointFiles files;
  private final List<String> notes = new ArrayList<>();

  private PretrainedReader(Storage storage, CheckpointFiles files) {
    this.storage = storage;
    this.files = files;
  }

  /**
   * Reads an encoder.
   *
   * @param place a Hugging Face directory (config.json; model.safetensors or its index), a
   *     directory with one .onnx file, such a file, a SavedModel, or the prefix of a TensorFlow
   *     checkpoint
   * @param numHeads of each layer, needed only where nothing in the files tells it
   * @throws CorruptFileException when files are damaged, incomplete or of another kind of model
   * @throws ConfigException when there is nothing to read there, or heads must be given
   * @throws org.lathe.graphs.errors.FailedException when the disk fails
   */
  public static PretrainedEncoder read(Storage storage, Path place, OptionalInt numHeads) {
    CheckpointFiles files = CheckpointFiles.find(storage, place);
    try {
      return new PretrainedReader(storage, files).read(numHeads);
    } catch (IllegalArgumentException e) {
      // sizes that are sound one by one and make no encoder together
      throw new CorruptFileException(
          place + " describes no encoder: " + e.getMessage() + "; download it again.", e);
    }
  }

  private PretrainedEncoder read(OptionalInt numHeads) {
    HfConfig file = files.config() == null ? null : HfConfig.read(storage, files.config());
    TensorSource source = files.openWeights(storage);
    NameMap map = NameMap.detect(source, file == null ? null : file.modelType());
    EncoderConfig config =
        file == null
            ? inferred(source, map, numHeads)
            : withActivation(file.encoder(), file.activation());
    if (source.names().contains(map.poolerBias())) {
      config = config.withPooler(config.transformer().hiddenSize());
    }
    Weights weights = EncoderWeights.read(source, map, map.encoder(config));
    Weights maskedLm = null;
    if (source.names().contains(map.maskedLmBias())) {
      EncoderWeights.requireTied(source, map);
      maskedLm = EncoderWeights.read(source, map, map.maskedLm(config));
    }
    String tokenizer =
        TokenizerFiles.read(storage, files, config.transformer().vocabularySize(), notes);
    return new PretrainedEncoder(config, weights, maskedLm, tokenizer, notes);
  }

  private EncoderConfig inferred(TensorSource source, NameMap map, OptionalInt given) {
    int numLayers = map.numLayers(source);
    int[] tokens = sizes(source, map.tokenTable(), 2);
    int[] positions = sizes(source, map.positionTable(), 2);
    int intermediateSize = numLayers == 0 ? 0 : sizes(source, map.upBias(), 1)[0];
    if (numLayers == 0) {
      throw new CorruptFileException(source.place() + " holds no layers of an encoder.");
    }
    int hiddenSize = tokens[1];
    OptionalInt toldHeads = OptionalInt.empty();
    OptionalDouble toldEpsilon = OptionalDouble.empty();
    @Nullable String activation = null;
    if (source instanceof OnnxReader onnx) {
      OnnxHints hints = onnx.hints();
      toldHeads = hints.numHeads(hiddenSize);
      toldEpsilon = hints.normEpsilon();
      activation = hints.activation();
    } else if (files.graph() != null) {
      SavedModelHints hints = SavedModelHints.read(storage, files.graph());
      toldHeads = hints.numHeads(hiddenSize);
      toldEpsilon = hints.normEpsilon();
      activation = hints.activation();
    }
    int numHeads = numHeads(source, hiddenSize, given, toldHeads);
    double epsilon = toldEpsilon.orElse(EncoderConfig.BERT_NORM_EPSILON);
    notes.add(
        "no config.json: sizes from the shapes, %d heads from %s, epsilon %s from %s"
            .formatted(
                numHeads,
                given.isPresent() ? "the setting" : "the graph",
                epsilon,
                toldEpsilon.isPresent() ? "the graph" : "BERT's usual"));
    EncoderConfig config =
        EncoderConfig.bert(
                tokens[0], hiddenSize, numLayers, numHeads, intermediateSize, positions[0])
            .withPooler(0)
            .withNormEpsilon(epsilon);
    int numTokenTypes =
        source.names().contains(map.tokenTypeTable())
            ? sizes(source, map.tokenTypeTable(), 2)[0]
            : 0;
    int offset = map.style() == NamingStyle.ROBERTA ? EncoderConfig.ROBERTA_POSITION_OFFSET : 0;
    return withActivation(
        config.withEmbeddings(numTokenTypes, offset), activation == null ? "gelu" : activation);
  }

  private static int numHeads(
      TensorSource source, int hiddenSize, OptionalInt given, OptionalInt told) {
    int numHeads =
        given.orElseGet(
            () ->
                told.orElseThrow(
                    () ->
                        new ConfigException(
                            source.place()
                                + " does not tell its number of attention heads and no config.json"
                                + " lies beside it; put one there or give the number.")));
    if (numHeads < 1 || hiddenSize % numHeads != 0) {
      throw new ConfigException(
          "%d attention heads do not divide the hidden size %d of %s; give another number."
              .formatted(numHeads, hiddenSize, source.place()));
    }
    return numHeads;
  }

  private static int[] sizes(TensorSource source, String name, int rank) {
    Shape shape = source.shape(name);
    boolean sound = shape.numDimensions() == rank;
    int[] sizes = new int[rank];
    for (int i = 0; sound && i < rank; i++) {
      sound = shape.get(i) >= 1 && shape.get(i) <= Integer.MAX_VALUE;
      sizes[i] = (int) shape.get(i);
    }
    if (!sound) {
      throw new CorruptFileException(
          "%s: '%s' has shape %s, expected %d sizes from 1."
              .formatted(source.place(), name, shape, rank));
    }
    return sizes;
  }

  private EncoderConfig withActivation(EncoderConfig config, String name) {
    Activation activation =
        switch (name) {
          case "relu" -> Activation.RELU;
          case "gelu", "gelu_python" -> Activation.GELU;
          case "gelu_new", "gelu_pytorch_tanh", "gelu_fast" -> Activation.GELU_TANH;
          default ->
              throw new CorruptFileException(
                  "%s has the activation '%s', expected gelu, gelu_new or relu."
                      .formatted(files.place(), name));
        };
    TransformerConfig transformer = config.transformer();
    return config.withTransformer(
        transformer.withStyle(
            NormPlacement.POST, PositionEncoding.LEARNED, activation, true, false));
  }
}
