package org.lathe.graphs.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.lathe.graphs.config.MemoryConfig.MemoryObjective;

/** Impossible configurations are refused with the field's name and the value found. */
class ConfigValidationTest {
  private static final List<BlockShape> ONE_BLOCK = List.of(new BlockShape(2, 8));

  private static TransformerConfig config(
      int vocabularySize,
      int hiddenSize,
      int headSize,
      List<BlockShape> blocks,
      int maxPositions,
      double embeddingScale,
      double dropout,
      double epsilon) {
    return new TransformerConfig(
        vocabularySize,
        hiddenSize,
        headSize,
        blocks,
        maxPositions,
        NormPlacement.PRE,
        PositionEncoding.SINUSOIDAL,
        Activation.RELU,
        true,
        true,
        embeddingScale,
        dropout,
        epsilon,
        null,
        null,
        null);
  }

  private static void refused(ThrowingCallable made, String message) {
    assertThatThrownBy(made)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }

  @Test
  void transformerConfigNamesTheFieldAndTheValue() {
    refused(() -> config(0, 4, 2, ONE_BLOCK, 8, 1, 0, 1e-5), "vocabularySize (0) must be positive");
    refused(() -> config(9, -4, 2, ONE_BLOCK, 8, 1, 0, 1e-5), "hiddenSize (-4) must be positive");
    refused(() -> config(9, 4, 0, ONE_BLOCK, 8, 1, 0, 1e-5), "headSize (0) must be positive");
    refused(() -> config(9, 4, 2, List.of(), 8, 1, 0, 1e-5), "at least one block");
    refused(() -> config(9, 4, 2, ONE_BLOCK, 0, 1, 0, 1e-5), "maxPositions (0) must be positive");
    refused(() -> config(9, 4, 2, ONE_BLOCK, 8, 0, 0, 1e-5), "embeddingScale (0.0)");
    refused(() -> config(9, 4, 2, ONE_BLOCK, 8, Double.NaN, 0, 1e-5), "embeddingScale (NaN)");
    refused(() -> config(9, 4, 2, ONE_BLOCK, 8, 1, 1, 1e-5), "dropout (1.0) must be in [0, 1)");
    refused(() -> config(9, 4, 2, ONE_BLOCK, 8, 1, -0.1, 1e-5), "dropout (-0.1)");
    refused(() -> config(9, 4, 2, ONE_BLOCK, 8, 1, Double.NaN, 1e-5), "dropout (NaN)");
    refused(() -> config(9, 4, 2, ONE_BLOCK, 8, 1, 0, 0), "normEpsilon (0.0) must be positive");
  }

  @Test
  void keySizeIsTheWidthOfTheKeysWhereThereIsOne() {
    TransformerConfig model = TransformerConfig.uniform(9, 10, 1, 2, 8, 8);
    assertThat(model.tapWidth()).isEqualTo(10);
    assertThat(model.withKeySize(3).tapWidth()).isEqualTo(3);
    assertThat(model.withKeySize(3).withBlocks(2, model.blocks()).tapWidth()).isEqualTo(3);
    assertThat(model.withKeySize(3).withKeySize(0)).isEqualTo(model);
    refused(() -> model.withKeySize(-3), "keySize (-3) must be at least 2");
    refused(() -> model.withKeySize(1), "keySize (1) must be at least 2");
  }

  @Test
  void uniformModelsNeedHeadsThatDivideTheHiddenSize() {
    refused(() -> TransformerConfig.uniform(9, 10, 1, 3, 8, 8), "multiple of numHeads (3)");
    refused(() -> TransformerConfig.uniform(9, 10, 1, 0, 8, 8), "numHeads (0) must be positive");
    refused(() -> TransformerConfig.uniform(9, 10, 0, 2, 8, 8), "numLayers (0) must be positive");
  }

  @Test
  void adaptiveVocabulariesNameTheFieldAndTheValue() {
    refused(() -> new AdaptiveVocabulary(List.of(), 4, true, 0), "at least one cut-off");
    refused(
        () -> new AdaptiveVocabulary(List.of(0, 3), 4, true, 0),
        "cutoffs [0, 3] must be positive and ascending");
    refused(
        () -> new AdaptiveVocabulary(List.of(3, 3), 4, true, 0),
        "cutoffs [3, 3] must be positive and ascending");
    refused(() -> new AdaptiveVocabulary(List.of(3), 0, true, 0), "factor (0)");
    refused(() -> new AdaptiveVocabulary(List.of(3), 4, true, 1), "softmaxDropout (1.0)");
    TransformerConfig plain = TransformerConfig.uniform(9, 16, 1, 4, 32, 8);
    refused(
        () -> plain.withAdaptive(new AdaptiveVocabulary(List.of(3, 9), 4, true, 0)),
        "cut-off 9 leaves no word in the last cluster; the vocabulary has 9");
    refused(
        () -> plain.withAdaptive(new AdaptiveVocabulary(List.of(2, 4), 8, true, 0)),
        "factor 8 leaves vectors of width 0 in cluster 2; hiddenSize is 16");
  }

  /** Baevski and Auli's WikiText-103 vocabulary. */
  @Test
  void clustersAreThePapers() {
    assertThat(
            new AdaptiveVocabulary(List.of(20_000, 60_000), 4, true, 0.2).clusters(267_744, 1_024))
        .containsExactly(
            new AdaptiveVocabulary.Cluster(0, 20_000, 1_024),
            new AdaptiveVocabulary.Cluster(20_000, 60_000, 256),
            new AdaptiveVocabulary.Cluster(60_000, 267_744, 64));
  }

  @Test
  void blocksAndMemoryNameTheFieldAndTheValue() {
    refused(() -> new BlockShape(-1, 8), "numHeads (-1) must not be negative");
    refused(() -> new BlockShape(1, -8), "intermediateSize (-8) must not be negative");
    refused(
        () -> new MemoryConfig(MemoryObjective.LOCAL, 0, 0, 0),
        "scoreScale (0.0) must be positive");
    refused(() -> new MemoryConfig(MemoryObjective.LOCAL, Double.NaN, 0, 0), "scoreScale (NaN)");
    refused(
        () -> new MemoryConfig(MemoryObjective.EXTERNAL, 1, 1.1, 0),
        "dropLocal (1.1) must be in [0, 1]");
    refused(
        () -> new MemoryConfig(MemoryObjective.CONSECUTIVE, 1, 0, -1),
        "segmentsPerGroup (-1) must not be negative");
  }

  @Test
  void blocksAreCopiedAndAbsentSublayersAreSeen() {
    List<BlockShape> blocks = new ArrayList<>(List.of(new BlockShape(0, 8), new BlockShape(2, 0)));
    TransformerConfig config = config(9, 4, 2, blocks, 8, 1, 0, 1e-5);
    blocks.clear();
    assertThat(config.numLayers()).isEqualTo(2);
    assertThat(config.blocks().get(0).attentionPresent()).isFalse();
    assertThat(config.blocks().get(0).feedForwardPresent()).isTrue();
    assertThat(config.blocks().get(1).attentionPresent()).isTrue();
    assertThat(config.blocks().get(1).feedForwardPresent()).isFalse();
  }

  @Test
  void slimConfigKeepsWhatMustNotChange() {
    TransformerConfig full = TransformerConfig.uniform(9, 16, 3, 4, 32, 8);
    TransformerConfig slim = full.withBlocks(11, ONE_BLOCK);
    assertThat(slim.hiddenSize()).isEqualTo(11);
    assertThat(slim.headSize()).isEqualTo(4);
    assertThat(slim.embeddingScale()).isEqualTo(4);
    assertThat(slim.blocks()).isEqualTo(ONE_BLOCK);
    assertThat(full.withDropout(0.5).dropout()).isEqualTo(0.5);
    assertThat(full.withDropout(0.5).withDropout(0)).isEqualTo(full);
  }

  @Test
  void encodersAndHeadsNameTheFieldAndTheValue() {
    EncoderConfig bert = EncoderConfig.bert(9, 8, 2, 2, 12, 7);
    refused(
        () -> new EncoderConfig(TransformerConfig.uniform(9, 8, 2, 2, 12, 7), 2, 0, 8),
        "post-norm");
    refused(() -> bert.withTransformer(bert.transformer().withKeySize(4)), "memory keys");
    refused(() -> bert.withEmbeddings(-1, 0), "numTokenTypes (-1)");
    refused(() -> bert.withEmbeddings(1, 7), "positionOffset (7) must be in [0, maxPositions = 7)");
    refused(() -> bert.withPooler(-1), "poolerSize (-1)");
    refused(() -> HeadConfig.classifier(bert, 0), "numClasses 0");
    refused(() -> new HeadConfig(HeadConfig.Kind.SPAN, 2, 0), "numClasses 2");
    refused(() -> new HeadConfig(HeadConfig.Kind.TANH_CLASSIFIER, 2, 0), "denseSize 0");
  }

  @Test
  void aSlimEncoderKeepsItsPooler() {
    EncoderConfig bert = EncoderConfig.bert(9, 8, 2, 2, 12, 7).withEmbeddings(1, 2);
    EncoderConfig slim = bert.withTransformer(bert.transformer().withBlocks(5, ONE_BLOCK));
    assertThat(slim).isEqualTo(new EncoderConfig(slim.transformer(), 1, 2, 8));
    assertThat(slim.maxLength()).isEqualTo(5);
    assertThat(bert.withNormEpsilon(1e-5).transformer().normEpsilon()).isEqualTo(1e-5);
  }

  @Test
  void memoryDefaultsAreThePapers() {
    assertThat(MemoryConfig.of(MemoryObjective.EXTERNAL, 64))
        .isEqualTo(new MemoryConfig(MemoryObjective.EXTERNAL, 0.125, 0.9, 0));
    assertThat(MemoryConfig.of(MemoryObjective.LOCAL, 64).dropLocal()).isZero();
  }
}
