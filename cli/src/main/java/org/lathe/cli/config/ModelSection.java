package org.lathe.cli.config;

import java.util.Collections;
import org.lathe.graphs.config.Activation;
import org.lathe.graphs.config.BlockShape;
import org.lathe.graphs.config.NormPlacement;
import org.lathe.graphs.config.PositionEncoding;
import org.lathe.graphs.config.TransformerConfig;

/**
 * Shape and arithmetic of the Transformer before pruning, all layers alike.
 *
 * @param hiddenSize D
 * @param numLayers L
 * @param numHeads N per layer; divides D
 * @param intermediateSize F, width of the feed-forward sublayers
 * @param norm pre (GPT-2) or post (BERT)
 * @param positions sinusoidal or learned
 * @param activation relu or gelu
 * @param tiedOutput the output projection is the token embedding
 * @param finalNorm LayerNorm after the last block
 * @param dropout rate while training
 * @param maxPositions longest sequence the model can read
 */
public record ModelSection(
    int hiddenSize,
    int numLayers,
    int numHeads,
    int intermediateSize,
    NormPlacement norm,
    PositionEncoding positions,
    Activation activation,
    boolean tiedOutput,
    boolean finalNorm,
    double dropout,
    int maxPositions) {
  public ModelSection {
    Check.between("model.hiddenSize", hiddenSize, 1, 65_536);
    Check.between("model.numLayers", numLayers, 1, 1_000);
    Check.between("model.numHeads", numHeads, 1, 1_024);
    Check.require(
        hiddenSize % numHeads == 0,
        "model.numHeads",
        numHeads,
        "a divisor of model.hiddenSize (" + hiddenSize + ")");
    Check.between("model.intermediateSize", intermediateSize, 1, 1_048_576);
    Check.below("model.dropout", dropout, 0, 1);
    Check.between("model.maxPositions", maxPositions, 1, 1_048_576);
  }

  /** The builder's configuration for a vocabulary of this size. */
  public TransformerConfig toTransformerConfig(int vocabularySize) {
    return new TransformerConfig(
        vocabularySize,
        hiddenSize,
        hiddenSize / numHeads,
        Collections.nCopies(numLayers, new BlockShape(numHeads, intermediateSize)),
        maxPositions,
        norm,
        positions,
        activation,
        tiedOutput,
        finalNorm,
        Math.sqrt(hiddenSize),
        dropout,
        TransformerConfig.NORM_EPSILON_DEFAULT);
  }
}
