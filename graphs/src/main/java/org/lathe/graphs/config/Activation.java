package org.lathe.graphs.config;

/** Nonlinearity of the feed-forward sublayer; GELU is the exact form, x/2 (1 + erf(x / sqrt 2)). */
public enum Activation {
  RELU,
  GELU
}
