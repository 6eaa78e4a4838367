package org.lathe.training.datastore;

import java.util.function.Predicate;
import java.util.regex.Pattern;

/** Which documents are meant: a name as it is, or a pattern over names. */
public final class DocumentPattern {
  private DocumentPattern() {}

  /** Exactly this name. */
  public static Predicate<String> name(String name) {
    return name::equals;
  }

  /** Names that match as a whole: * is any text, also none, ? one character, the rest itself. */
  public static Predicate<String> glob(String glob) {
    StringBuilder regex = new StringBuilder();
    for (int i = 0; i < glob.length(); i++) {
      char c = glob.charAt(i);
      if (c == '*') {
        // neighbouring stars mean one; two would only cost time
        regex.append(i > 0 && glob.charAt(i - 1) == '*' ? "" : ".*");
      } else {
        regex.append(c == '?' ? "." : Pattern.quote(String.valueOf(c)));
      }
    }
    return Pattern.compile(regex.toString(), Pattern.DOTALL).asMatchPredicate();
  }
}
