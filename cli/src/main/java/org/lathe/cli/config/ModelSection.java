package org.lathe.cli.config;

import com.google.common.collect.ImmutableList;
import com.google.common.collect.Ordering;
import java.util.Collections;
import java.util.List;
import org.lathe.graphs.config.Activation;
import org.lathe.graphs.config.AdaptiveVocabulary;
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
 * @param dropout rate on embeddings and sublayer outputs while training
 * @param attentionDropout rate on attention probabilities while training
 * @param activationDropout rate on the feed-forward's activations while training
 * @param cutoffs word ids at which an adaptive vocabulary begins a new cluster, ascending; empty
 *     for one table. Made for word tokenizers, which number words by falling frequency; byte-pair
 *     ids follow the order of merges, where clusters save less
 * @param factor by which each cluster's vectors are narrower than the last one's
 * @param tiedProjections the output shares the projections of the clusters (tiedOutput shares their
 *     words)
 * @param softmaxDropout rate on the input of an adaptive softmax while training
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
    double attentionDropout,
    double activationDropout,
    List<Integer> cutoffs,
    int factor,
    boolean tiedProjections,
    double softmaxDropout,
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
    Check.below("model.attentionDropout", attentionDropout, 0, 1);
    Check.below("model.activationDropout", activationDropout, 0, 1);
    cutoffs = ImmutableList.copyOf(cutoffs);
    Check.require(
        Ordering.natural().isStrictlyOrdered(cutoffs) && (cutoffs.isEmpty() || cutoffs.get(0) > 0),
        "model.cutoffs",
        cutoffs,
        "word ids above 0 in ascending order");
    Check.between("model.factor", factor, 1, 1_024);
    Check.require(
        cutoffs.isEmpty() || Math.pow(factor, cutoffs.size()) <= hiddenSize,
        "model.factor",
        factor,
        "a factor whose power " + cutoffs.size() + " is at most model.hiddenSize");
    Check.below("model.softmaxDropout", softmaxDropout, 0, 1);
    Check.between("model.maxPositions", maxPositions, 1, 1_048_576);
  }

  /**
   * The builder's configuration for a vocabulary of this size, without learned memory keys.
   *
   * @throws org.lathe.graphs.errors.ConfigException when a cut-off lies beyond it
   */
  public TransformerConfig toTransformerConfig(int vocabularySize) {
    Check.require(
        cutoffs.isEmpty() || cutoffs.get(cutoffs.size() - 1) < vocabularySize,
        "model.cutoffs",
        cutoffs,
        "word ids below the vocabulary's size, " + vocabularySize);
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
        TransformerConfig.NORM_EPSILON_DEFAULT,
        new TransformerConfig.InnerDropout(attentionDropout, activationDropout),
        cutoffs.isEmpty()
            ? null
            : new AdaptiveVocabulary(cutoffs, factor, tiedProjections, softmaxDropout),
        null);
  }
}
