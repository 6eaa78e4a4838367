package org.lathe.training.similarity;

/** Documents as token ids; safe for several threads. */
interface TokenDocuments {
  int size();

  int[] tokens(int document);
}
