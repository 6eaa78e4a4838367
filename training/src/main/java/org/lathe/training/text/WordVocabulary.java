package org.lathe.training.text;

import com.google.common.base.Preconditions;
import com.google.common.collect.ImmutableList;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * One token per white-space separated word, {@code <eos>} for each line break, {@code <unk>} for
 * words outside the vocabulary (the WikiText convention). Ids 0 and 1 are {@code <unk>} and {@code
 * <eos>} in vocabularies built here. Not lossless: runs of white space become one space.
 */
public final class WordVocabulary implements Tokenizer {
  public static final String UNKNOWN = "<unk>";
  public static final String END_OF_LINE = "<eos>";

  private final ImmutableList<String> words;
  private final Map<String, Integer> ids = new HashMap<>();
  private final int unknown;
  private final int endOfLine;
  private final String fingerprint;

  /**
   * A vocabulary of these words; word i has id i.
   *
   * @throws IllegalArgumentException when a word repeats, is empty or holds white space, or {@code
   *     <unk>} or {@code <eos>} is missing
   */
  public WordVocabulary(List<String> words) {
    this.words = ImmutableList.copyOf(words);
    for (String word : words) {
      Preconditions.checkArgument(
          !word.isEmpty() && word.codePoints().noneMatch(Character::isWhitespace),
          "entry %s, \"%s\", is not one word",
          ids.size(),
          word);
      Integer before = ids.put(word, ids.size());
      Preconditions.checkArgument(before == null, "\"%s\" stands twice", word);
    }
    Preconditions.checkArgument(
        ids.containsKey(UNKNOWN) && ids.containsKey(END_OF_LINE), "<unk> or <eos> is missing");
    unknown = Objects.requireNonNull(ids.get(UNKNOWN));
    endOfLine = Objects.requireNonNull(ids.get(END_OF_LINE));
    fingerprint = Texts.fingerprint(kind(), definition());
  }

  /** The given words after {@code <unk>} and {@code <eos>}, each once. */
  public static WordVocabulary of(Collection<String> words) {
    Set<String> all = new LinkedHashSet<>(List.of(UNKNOWN, END_OF_LINE));
    all.addAll(words);
    return new WordVocabulary(List.copyOf(all));
  }

  /**
   * The most frequent words of these documents; equal counts in the order of their code units.
   *
   * @param maxSize largest number of entries, {@code <unk>} and {@code <eos>} included, at least 3
   */
  public static WordVocabulary build(Iterable<String> documents, int maxSize) {
    Preconditions.checkArgument(maxSize >= 3, "maxSize (%s) must be at least 3", maxSize);
    Map<String, Long> counts = new LinkedHashMap<>();
    for (String document : documents) {
      forEachToken(Texts.wellFormed(document), word -> counts.merge(word, 1L, Long::sum));
    }
    counts.remove(UNKNOWN);
    counts.remove(END_OF_LINE);
    Comparator<Map.Entry<String, Long>> byCount = Map.Entry.comparingByValue();
    return of(
        counts.entrySet().stream()
            .sorted(byCount.reversed().thenComparing(Map.Entry.comparingByKey()))
            .limit(maxSize - 2L)
            .map(Map.Entry::getKey)
            .toList());
  }

  @Override
  public int[] encode(String text) {
    IntStream.Builder tokens = IntStream.builder();
    forEachToken(Texts.wellFormed(text), word -> tokens.add(ids.getOrDefault(word, unknown)));
    return tokens.build().toArray();
  }

  /** Words with one space between them and a line break for each {@code <eos>}. */
  @Override
  public String decode(int[] tokens) {
    StringBuilder text = new StringBuilder();
    boolean inLine = false;
    for (int token : tokens) {
      if (token == endOfLine) {
        text.append('\n');
        inLine = false;
      } else {
        text.append(inLine ? " " : "").append(words.get(token));
        inLine = true;
      }
    }
    return text.toString();
  }

  /** Empty: the length of unknown words and the width of white space are lost. */
  @Override
  public OptionalLong numBytes(int[] tokens) {
    return OptionalLong.empty();
  }

  /** All words; word i has id i. */
  public List<String> words() {
    return words;
  }

  @Override
  public int vocabularySize() {
    return words.size();
  }

  @Override
  public String kind() {
    return TokenizerKind.WORD.word();
  }

  @Override
  public String fingerprint() {
    return fingerprint;
  }

  @Override
  public void close() {}

  /** Content of vocabulary.txt: one word a line, in the order of their ids. */
  String definition() {
    return String.join("\n", words) + '\n';
  }

  static WordVocabulary fromDefinition(String definition) {
    Preconditions.checkArgument(definition.endsWith("\n"), "the last line has no end");
    List<String> words = new ArrayList<>();
    for (int start = 0; start < definition.length(); ) {
      int end = definition.indexOf('\n', start);
      words.add(definition.substring(start, end));
      start = end + 1;
    }
    return new WordVocabulary(words);
  }

  private static void forEachToken(String text, Consumer<String> consumer) {
    int start = -1;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!Character.isWhitespace(c)) {
        start = start < 0 ? i : start;
        continue;
      }
      if (start >= 0) {
        consumer.accept(text.substring(start, i));
        start = -1;
      }
      if (c == '\n') {
        consumer.accept(END_OF_LINE);
      }
    }
    if (start >= 0) {
      consumer.accept(text.substring(start));
    }
  }
}
