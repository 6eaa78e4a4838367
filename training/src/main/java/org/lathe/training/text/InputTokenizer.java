package org.lathe.training.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import com.google.common.base.Preconditions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.lathe.graphs.errors.ConfigException;
import org.lathe.graphs.errors.CorruptFileException;

/**
 * Texts and pairs of texts as an encoder reads them, by the Hugging Face library: its special
 * tokens, token types, truncation and overlapping windows. Padding is left to the batches. Safe for
 * several threads. Holds native memory: close it.
 */
public final class InputTokenizer implements AutoCloseable {
  /** The library counts lengths in an int of ours; no encoder reads more. */
  public static final int MAX_LENGTH = 1 << 16;

  /** Sequence id of the library for tokens of the second text. */
  private static final long SECOND = 1;

  private final HuggingFaceTokenizer tokenizer;

  /** Cuts nothing: the library has no length of a single text where it cuts only second ones. */
  private final HuggingFaceTokenizer plain;

  private final TokenizerDefinition definition;
  private final int maxLength;
  private final int maxQuestionTokens;

  private InputTokenizer(
      TokenizerDefinition definition,
      HuggingFaceTokenizer tokenizer,
      HuggingFaceTokenizer plain,
      int maxLength,
      int maxQuestionTokens) {
    this.definition = definition;
    this.plain = plain;
    this.tokenizer = tokenizer;
    this.maxLength = maxLength;
    this.maxQuestionTokens = maxQuestionTokens;
  }

  /**
   * For {@link #encode}: what is too long is cut at its end, of a pair the longer text first, and
   * both to the same length where the shorter one is longer than half.
   *
   * @param maxLength most tokens of an input, special ones included
   * @throws ConfigException when maxLength leaves no room for a token of each text
   * @throws CorruptFileException when the library does not accept the definition, or it adds no
   *     special tokens
   */
  public static InputTokenizer forTexts(TokenizerDefinition definition, int maxLength) {
    return create(definition, "LONGEST_FIRST", maxLength, 0, 0, 2);
  }

  /**
   * For {@link #windows}.
   *
   * @param maxLength most tokens of a window, special ones and the question included; 384 in
   *     SQuAD's usual setting
   * @param stride tokens of the context that a window shares with the one before it; usually 128
   * @param maxQuestionTokens longer questions are cut, so that room is left; usually 64
   * @throws ConfigException when a window would not advance
   * @throws CorruptFileException as for texts
   */
  public static InputTokenizer forWindows(
      TokenizerDefinition definition, int maxLength, int stride, int maxQuestionTokens) {
    Preconditions.checkArgument(stride >= 0, "stride (%s) must not be negative", stride);
    Preconditions.checkArgument(
        maxQuestionTokens > 0, "maxQuestionTokens (%s) must be positive", maxQuestionTokens);
    return create(
        definition,
        "ONLY_SECOND",
        maxLength,
        stride,
        maxQuestionTokens,
        (long) maxQuestionTokens + stride + 1);
  }

  /** Tokens of a text, or of a pair. */
  public EncodedInput encode(String text, @Nullable String secondText) {
    Preconditions.checkState(maxQuestionTokens == 0, "made for windows");
    String first = Texts.wellFormed(text);
    return input(
        secondText == null
            ? tokenizer.encode(first, true, false)
            : tokenizer.encode(first, Texts.wellFormed(secondText), true, false));
  }

  /**
   * A question with its whole context, or with parts of it that overlap by the stride and cover it
   * from its begin to its end, in this order.
   */
  public List<EncodedWindow> windows(String question, String context) {
    Preconditions.checkState(maxQuestionTokens > 0, "made for texts");
    String second = Texts.wellFormed(context);
    Encoding whole = tokenizer.encode(shortened(Texts.wellFormed(question)), second, true, true);
    int[] places = codeUnits(second);
    List<EncodedWindow> windows = new ArrayList<>();
    windows.add(window(whole, places));
    for (Encoding more : whole.getOverflowing()) {
      windows.add(window(more, places));
    }
    return windows;
  }

  /** The definition, with the ids of special tokens. */
  public TokenizerDefinition definition() {
    return definition;
  }

  /** Most tokens of an input. */
  public int maxLength() {
    return maxLength;
  }

  @Override
  public void close() {
    tokenizer.close();
    plain.close();
  }

  /** The question up to the last character of its last token that is kept. */
  private String shortened(String question) {
    Encoding alone = plain.encode(question, false, false);
    CharSpan[] spans = alone.getCharTokenSpans();
    if (spans.length <= maxQuestionTokens) {
      return question;
    }
    // a token of several may end within a character, which would bring all its tokens back
    int last = maxQuestionTokens - 1;
    while (last > 0 && spans[last].getEnd() > spans[maxQuestionTokens].getStart()) {
      last--;
    }
    return question.substring(0, question.offsetByCodePoints(0, spans[last].getEnd()));
  }

  private static EncodedWindow window(Encoding encoding, int[] places) {
    long[] sequences = encoding.getSequenceIds();
    CharSpan[] spans = encoding.getCharTokenSpans();
    int[] starts = new int[spans.length];
    int[] ends = new int[spans.length];
    Arrays.fill(starts, -1);
    Arrays.fill(ends, -1);
    for (int i = 0; i < spans.length; i++) {
      if (sequences[i] == SECOND && spans[i] != null) {
        starts[i] = places[spans[i].getStart()];
        ends[i] = places[spans[i].getEnd()];
      }
    }
    return new EncodedWindow(input(encoding), starts, ends);
  }

  private static EncodedInput input(Encoding encoding) {
    return new EncodedInput(ints(encoding.getIds()), ints(encoding.getTypeIds()));
  }

  private static int[] ints(long[] values) {
    return Arrays.stream(values).mapToInt(Math::toIntExact).toArray();
  }

  /** The library counts code points: where each begins in code units, and where the text ends. */
  private static int[] codeUnits(String text) {
    int numCodePoints = text.codePointCount(0, text.length());
    int[] places = new int[numCodePoints + 1];
    int place = 0;
    for (int i = 0; i < numCodePoints; i++) {
      places[i] = place;
      place += Character.charCount(text.codePointAt(place));
    }
    places[numCodePoints] = place;
    return places;
  }

  /** With room for so many tokens of text besides the special ones of a pair. */
  private static InputTokenizer create(
      TokenizerDefinition definition,
      String truncation,
      int maxLength,
      int stride,
      int maxQuestionTokens,
      long leastText) {
    HuggingFaceTokenizer plain = open(definition, "false", MAX_LENGTH, 0);
    try {
      if (plain.encode("", true, false).getIds().length == 0) {
        throw new CorruptFileException(
            "tokenizer.json adds no special tokens (post_processor); expected those of an encoder, such as [CLS] and [SEP].");
      }
      // with less the library ends the process
      long shortest = plain.encode("", "", true, false).getIds().length + leastText;
      if (maxLength < shortest || maxLength > MAX_LENGTH) {
        throw new ConfigException(
            "maxLength is %d; expected %d (special tokens, question and stride, and a token more) to %d."
                .formatted(maxLength, shortest, MAX_LENGTH));
      }
      return new InputTokenizer(
          definition,
          open(definition, truncation, maxLength, stride),
          plain,
          maxLength,
          maxQuestionTokens);
    } catch (RuntimeException e) {
      plain.close();
      throw e;
    }
  }

  private static HuggingFaceTokenizer open(
      TokenizerDefinition definition, String truncation, int maxLength, int stride) {
    return HfTokenizer.open(
        definition.json(),
        Map.of(
            "addSpecialTokens",
            "true",
            "truncation",
            truncation,
            "padding",
            "false",
            "maxLength",
            Integer.toString(maxLength),
            "modelMaxLength",
            Integer.toString(maxLength),
            "stride",
            Integer.toString(stride)));
  }
}
