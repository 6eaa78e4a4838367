package org.lathe.cli.config;

/**
 * What is published.
 *
 * @param name of the model, as TensorFlow Serving and the warm-up records know it
 * @param temperature of the memory scores in the exported graph; 1 = as trained
 */
public record ExportSection(String name, double temperature) {
  public ExportSection {
    Check.require(
        name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,99}"),
        "export.name",
        "'" + name + "'",
        "1 to 100 letters, digits, dots, dashes or underscores, starting with a letter or digit");
    Check.positive("export.temperature", temperature);
  }
}
