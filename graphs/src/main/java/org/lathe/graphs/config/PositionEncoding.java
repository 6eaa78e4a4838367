package org.lathe.graphs.config;

/** Absolute positions added to the token embeddings: fixed sinusoids or a trained table. */
public enum PositionEncoding {
  SINUSOIDAL,
  LEARNED
}
