package org.lathe.training.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class AnswerScoresTest {
  @Test
  void normalization() {
    assertThat(AnswerScores.normalized("  The  \"Panthers'\" defense,\n a WALL! "))
        .isEqualTo("panthers defense wall");
    // punctuation goes first and leaves no gap, so that u.s.a. is a word and "an-other" is one too
    assertThat(AnswerScores.normalized("the U.S.A.")).isEqualTo("usa");
    assertThat(AnswerScores.normalized("an-other theory")).isEqualTo("another theory");
    assertThat(AnswerScores.normalized("A-b: $5.5 @ ~[x]^_`{|}")).isEqualTo("ab 55 x");
    // only ASCII punctuation, and letters of all scripts are parts of words
    assertThat(AnswerScores.normalized("„Theä“ \u00a0 a–b")).isEqualTo("„theä“ –b");
    assertThat(AnswerScores.normalized("a the an.")).isEmpty();
  }

  @Test
  void exactMatchTakesTheClosestReference() {
    assertThat(AnswerScores.exactMatch("The Broncos!", List.of("Denver Broncos", "broncos")))
        .isEqualTo(1);
    assertThat(AnswerScores.exactMatch("Broncos", List.of("Denver Broncos"))).isEqualTo(0);
    assertThat(AnswerScores.exactMatch("the", List.of(""))).isEqualTo(1);
    assertThatThrownBy(() -> AnswerScores.exactMatch("x", List.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void f1ByHand() {
    // 2 common, 3 and 4 words
    assertThat(AnswerScores.f1("in the big city", List.of("the big old red city")))
        .isCloseTo(4.0 / 7, within(1e-12));
    // a repeated word counts as often as on the other side: 1 common, 3 and 2 words
    assertThat(AnswerScores.f1("no no no", List.of("no yes"))).isCloseTo(0.4, within(1e-12));
    assertThat(AnswerScores.f1("no no", List.of("yes", "no", "no no no")))
        .isCloseTo(0.8, within(1e-12));
    assertThat(AnswerScores.f1("", List.of("x"))).isEqualTo(0);
    assertThat(AnswerScores.f1("", List.of(""))).isEqualTo(0);
    assertThat(AnswerScores.f1("x y", List.of("y X"))).isEqualTo(1);
  }
}
