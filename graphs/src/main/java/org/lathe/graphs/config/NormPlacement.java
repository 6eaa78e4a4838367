package org.lathe.graphs.config;

/** Where a block normalizes: before each sublayer (GPT-2, Baevski-Auli) or after it (BERT). */
public enum NormPlacement {
  PRE,
  POST
}
