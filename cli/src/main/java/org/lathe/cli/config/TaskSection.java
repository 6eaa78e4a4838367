package org.lathe.cli.config;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/**
 * What an encoder is fine-tuned for. A language model needs none of this but its kind.
 *
 * @param kind what is learned; language-model reads the data section instead
 * @param pretrained where the encoder starts: a Hugging Face directory, an ONNX file with its
 *     tokenizer.json beside it, a SavedModel directory, or a run of an encoder, pruned or not
 * @param preset a task of GLUE or squad, whose files and metrics are known: sst-2, cola, rte,
 *     sts-b, mrpc, qnli, mnli, qqp; empty for a task of one's own, with the columns below
 * @param train files with labels; of masked-lm plain text, documents apart by {@code <|endoftext|>}
 *     lines
 * @param valid files with labels, by which the best checkpoint is chosen
 * @param test files with labels, for evaluate --split test
 * @param header the first row names the columns; else they are given by number, from "1"
 * @param text column of the text
 * @param secondText column of the second text, or empty
 * @param label column of the label
 * @param maxLength tokens of an example, special ones included; longer ones are cut
 * @param maxExamples of the training files, the first ones; 0 = all
 * @param minTokenCount tokens that occur less often in the training files lose their row of the
 *     token table, and words that had them are spelled with shorter ones; 0 = all tokens stay
 * @param freezeEmbeddings tables of tokens, positions and types are not trained
 */
public record TaskSection(
    Kind kind,
    String pretrained,
    String preset,
    List<String> train,
    List<String> valid,
    List<String> test,
    boolean header,
    String text,
    String secondText,
    String label,
    int maxLength,
    int maxExamples,
    int minTokenCount,
    boolean freezeEmbeddings) {

  /** Kinds of tasks. */
  public enum Kind {
    @JsonProperty("language-model")
    LANGUAGE_MODEL,
    CLASSIFICATION,
    REGRESSION,
    @JsonProperty("span-qa")
    SPAN_QA,
    /** Plain text, of which some tokens are hidden. */
    @JsonProperty("masked-lm")
    MASKED_LM
  }

  public TaskSection {
    train = List.copyOf(train);
    valid = List.copyOf(valid);
    test = List.copyOf(test);
    Check.between("task.maxLength", maxLength, 4, 65_536);
    Check.atLeast("task.maxExamples", maxExamples, 0);
    Check.atLeast("task.minTokenCount", minTokenCount, 0);
    if (kind != Kind.LANGUAGE_MODEL) {
      Check.require(
          !pretrained.isBlank(),
          "task.pretrained",
          "empty",
          "where a pretrained encoder lies; a task starts from one");
      Check.require(!train.isEmpty(), "task.train", "empty", "at least one file with labels");
      Check.require(!valid.isEmpty(), "task.valid", "empty", "at least one file with labels");
    }
  }

  /** Whether an encoder is trained for a task. */
  public boolean usesEncoder() {
    return kind != Kind.LANGUAGE_MODEL;
  }
}
