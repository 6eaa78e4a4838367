package org.lathe.pruning.slimming;

import org.jspecify.annotations.Nullable;
import org.lathe.graphs.config.EncoderConfig;
import org.lathe.graphs.config.HeadConfig;
import org.lathe.graphs.weights.Weights;

/**
 * A slim encoder: build {@code config} and {@code head} with the usual builders and assign {@code
 * weights}.
 *
 * @param head as it was before slimming, or null for an encoder alone
 */
public record SlimEncoder(EncoderConfig config, @Nullable HeadConfig head, Weights weights) {}
