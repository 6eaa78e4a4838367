package org.lathe.training.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WordSplitterTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "A well-known 1,200.5 kg car. | A well @-@ known 1 @,@ 200 @.@ 5 kg car .",
        "It's fine, isn't it? | It 's fine , is n't it ?",
        "(see [1]) | ( see [ 1 ] )",
        "don't | do n't",
        "naïve – café | naïve – café",
        "a -b c- | a - b c -",
        "3-4 | 3 @-@ 4",
      })
  void splitsAsWikiTextDoes(String text, String expected) {
    assertThat(WordSplitter.split(text.strip()).strip().replaceAll(" +", " "))
        .isEqualTo(expected.strip());
  }
}
