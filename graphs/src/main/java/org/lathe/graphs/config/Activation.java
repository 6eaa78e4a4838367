package org.lathe.graphs.config;

/**
 * Nonlinearity of the feed-forward sublayer. GELU is the exact form, x/2 (1 + erf(x / sqrt 2));
 * GELU_TANH the approximation x/2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) of the first BERT,
 * which differs from it by up to 5e-4 and, through twelve layers, visibly.
 */
public enum Activation {
  RELU,
  GELU,
  GELU_TANH
}
