package org.lathe.training.text;

/**
 * Splits words from punctuation in the way of WikiText: marks stand alone, a hyphen inside a word
 * becomes {@code @-@}, a comma or point inside a number {@code @,@} or {@code @.@}, and a
 * contraction's ending stands for itself ({@code it 's}, {@code do n't}). Line breaks stay.
 */
public final class WordSplitter {
  private WordSplitter() {}

  /** "A well-known 1,200 kg car." becomes "A well @-@ known 1 @,@ 200 kg car ." */
  public static String split(String text) {
    StringBuilder out = new StringBuilder(text.length() + text.length() / 4);
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      char before = i == 0 ? ' ' : text.charAt(i - 1);
      char after = i + 1 == text.length() ? ' ' : text.charAt(i + 1);
      if (Character.isLetterOrDigit(c) || Character.isWhitespace(c) || Character.isSurrogate(c)) {
        boolean negation = c == 'n' && after == '\'' && startsWord(text, i + 1, "'t");
        out.append(negation && Character.isLetter(before) ? " " : "").append(c);
      } else if (c == '-'
          && Character.isLetterOrDigit(before)
          && Character.isLetterOrDigit(after)) {
        out.append(" @-@ ");
      } else if ((c == ',' || c == '.') && Character.isDigit(before) && Character.isDigit(after)) {
        out.append(" @").append(c).append("@ ");
      } else if (c == '\'' && Character.isLetter(before) && Character.isLetter(after)) {
        boolean negation = before == 'n' && startsWord(text, i, "'t");
        out.append(negation ? "" : " ").append(c);
      } else if (Character.getType(c) == Character.NON_SPACING_MARK) {
        out.append(c);
      } else {
        out.append(' ').append(c).append(' ');
      }
    }
    return out.toString();
  }

  /** Whether these letters stand here and a word ends after them. */
  private static boolean startsWord(String text, int at, String letters) {
    int end = at + letters.length();
    return text.startsWith(letters, at)
        && (end == text.length() || !Character.isLetterOrDigit(text.charAt(end)));
  }
}
