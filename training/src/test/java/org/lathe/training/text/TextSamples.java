package org.lathe.training.text;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Texts for tokenizer tests: some source code and random Unicode. */
final class TextSamples {
  static final String CODE =
      """
      package org.example;

      /** Counts words; 3 or 42 of them. */
      public final class WordCounter {
        private final Map<String, Integer> counts = new HashMap<>();

        public int count(String word) {
          if (word.isEmpty()) {
            throw new IllegalArgumentException("empty word at line 17");
          }
          return counts.merge(word, 1, Integer::sum);
        }

        public int total() {
          int total = 0;
          for (int count : counts.values()) {
            total += count;
          }
          return total;
        }
      }
      """;

  private TextSamples() {}

  /** Well-formed text of up to maxLength code points from several blocks. */
  static String unicode(Random random, int maxLength) {
    StringBuilder text = new StringBuilder();
    int length = random.nextInt(maxLength + 1);
    for (int i = 0; i < length; i++) {
      int codePoint =
          switch (random.nextInt(8)) {
            case 0 -> random.nextInt(0x20);
            case 1, 2, 3 -> 0x20 + random.nextInt(0x60);
            case 4 -> " \n\t\r  ".charAt(random.nextInt(6));
            case 5 -> 0x80 + random.nextInt(0x780);
            case 6 -> 0x2000 + random.nextInt(0x1100);
            default -> random.nextInt(Character.MAX_CODE_POINT + 1);
          };
      boolean surrogate =
          codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
      text.appendCodePoint(surrogate ? 'x' : codePoint);
    }
    return text.toString();
  }

  /** Pieces of the code above, cut anywhere, and random Unicode. */
  static List<String> mixed(Random random, int count) {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int start = random.nextInt(CODE.length());
      int end = start + random.nextInt(CODE.length() - start + 1);
      texts.add(i % 2 == 0 ? unicode(random, 40) : CODE.substring(start, end));
    }
    return texts;
  }
}
