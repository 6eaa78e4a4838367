package org.lathe.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * Commands and options are a promise to scripts. A change shows here first; accept it on purpose
 * with {@code -Dlathe.golden.write=true} and a line in CHANGELOG.md.
 */
class FrozenOptionsTest {
  private static final Path GOLDEN = Path.of("src/test/resources/golden/options.txt");

  @Test
  void commandsAndOptionsAreTheGoldenOnes() throws IOException {
    String actual = describe();
    if (Boolean.getBoolean("lathe.golden.write")) {
      Files.createDirectories(GOLDEN.getParent());
      Files.writeString(GOLDEN, actual);
    }
    assertThat(actual).isEqualTo(Files.readString(GOLDEN));
  }

  private static String describe() {
    StringBuilder text = new StringBuilder();
    CommandLine root = Lathe.commandLine(new TestSurroundings().surroundings());
    describeTree(root, text);
    return text.toString();
  }

  private static void describeTree(CommandLine command, StringBuilder text) {
    describe(command, text);
    command.getSubcommands().values().stream()
        .sorted(Comparator.comparing(CommandLine::getCommandName))
        .forEach(subcommand -> describeTree(subcommand, text));
  }

  private static void describe(CommandLine command, StringBuilder text) {
    text.append(command.getCommandSpec().qualifiedName()).append('\n');
    for (PositionalParamSpec parameter : command.getCommandSpec().positionalParameters()) {
      text.append("  ").append(parameter.paramLabel()).append(" arity ");
      text.append(parameter.arity()).append('\n');
    }
    command.getCommandSpec().options().stream()
        .sorted(Comparator.comparing(OptionSpec::longestName))
        .forEach(
            option -> {
              text.append("  ").append(String.join(" ", option.names()));
              text.append(option.arity().max() > 0 ? " " + option.paramLabel() : "");
              text.append(option.required() ? " required" : "");
              text.append(option.defaultValue() == null ? "" : " = " + option.defaultValue());
              text.append('\n');
            });
  }
}
