package org.lathe.pruning.slimming;

import org.lathe.graphs.config.TransformerConfig;
import org.lathe.graphs.weights.Weights;

/** A slim model: build {@code config} with the usual builder and assign {@code weights}. */
public record SlimModel(TransformerConfig config, Weights weights) {}
