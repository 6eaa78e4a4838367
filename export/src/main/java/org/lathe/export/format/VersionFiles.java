package org.lathe.export.format;

/** Names of what lies in a version directory beside the graph and its variables. */
public final class VersionFiles {
  /** Below a version directory: what servers pass over, given assets among it. */
  public static final String EXTRA = "assets.extra";

  /** In {@link #EXTRA}: the model's shape and signatures as JSON. */
  public static final String SIGNATURE = "signature.json";

  /** In {@link #EXTRA}: the same for people. */
  public static final String CARD = "card.md";

  /** In {@link #EXTRA}: recorded inputs and outputs. */
  public static final String REFERENCE = "reference.json";

  /** In {@link #EXTRA}: the names of a classifier's classes, in order. */
  public static final String LABELS = "labels.json";

  private VersionFiles() {}
}
