package org.lathe.training.pretrained;

/** Whose names a checkpoint's tensors have. */
public enum NamingStyle {
  /** Hugging Face BERT, MiniLM, BGE; ONNX exports of them. */
  BERT,
  /** Hugging Face RoBERTa: BERT's names, another masked-LM head, positions from an offset. */
  ROBERTA,
  /** Hugging Face DistilBERT. */
  DISTILBERT,
  /** Google's BERT, in TensorFlow checkpoints and SavedModels; kernels lie (in, out). */
  GOOGLE
}
