package org.lathe.training.examples;

import org.lathe.training.text.EncodedInput;
import org.lathe.training.text.InputTokenizer;

/** Turns labelled texts into rows of token ids, once; batches are cut from the arrays. */
public final class ExampleTokenizer {
  private ExampleTokenizer() {}

  /**
   * Tokenizes all examples, in their order.
   *
   * @param tokenizer made for texts
   */
  public static TokenRows tokenize(Examples examples, InputTokenizer tokenizer) {
    int[][] ids = new int[examples.size()][];
    int[][] tokenTypes = new int[examples.size()][];
    for (int i = 0; i < ids.length; i++) {
      Example example = examples.examples().get(i);
      EncodedInput input = tokenizer.encode(example.text(), example.secondText());
      ids[i] = input.ids();
      tokenTypes[i] = input.tokenTypes();
    }
    return new TokenRows(
        ids, tokenTypes, targets(examples), tokenizer.definition().padId(), tokenizer.maxLength());
  }

  private static RowTargets targets(Examples examples) {
    if (!examples.isLabelled()) {
      return RowTargets.NONE;
    }
    double[] values = examples.labelValues();
    if (examples.kind() == TaskKind.REGRESSION) {
      float[] numbers = new float[values.length];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = (float) values[i];
      }
      return RowTargets.ofNumbers(numbers);
    }
    int[] classes = new int[values.length];
    for (int i = 0; i < classes.length; i++) {
      classes[i] = (int) values[i];
    }
    return RowTargets.ofClasses(classes);
  }
}
