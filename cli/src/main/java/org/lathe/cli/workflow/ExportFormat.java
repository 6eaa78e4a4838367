package org.lathe.cli.workflow;

/** What a model is published as. */
public enum ExportFormat {
  /** A version below models/NAME, for TensorFlow Serving. */
  SAVED_MODEL("savedmodel"),
  /** An encoder as a directory that Hugging Face's classes load. */
  HUGGING_FACE("hugging-face");

  private final String label;

  ExportFormat(String label) {
    this.label = label;
  }

  /** What a person types. */
  public String label() {
    return label;
  }
}
