package org.lathe.cli.config;

import org.lathe.graphs.errors.ConfigException;

/** Range checks of configuration values; the message names the key, the value and the range. */
final class Check {
  private Check() {}

  static void atLeast(String key, long value, long least) {
    require(value >= least, key, value, "a whole number of at least " + least);
  }

  static void between(String key, long value, long least, long most) {
    require(
        value >= least && value <= most,
        key,
        value,
        "a whole number from " + least + " to " + most);
  }

  static void positive(String key, double value) {
    require(value > 0 && Double.isFinite(value), key, value, "a number above 0");
  }

  static void notNegative(String key, double value) {
    require(value >= 0 && Double.isFinite(value), key, value, "a number of at least 0");
  }

  /** The closed interval from least to most. */
  static void within(String key, double value, double least, double most) {
    require(value >= least && value <= most, key, value, "a number from " + least + " to " + most);
  }

  /** The interval from least, which belongs to it, to limit, which does not. */
  static void below(String key, double value, double least, double limit) {
    require(
        value >= least && value < limit,
        key,
        value,
        "a number of at least " + least + " and below " + limit);
  }

  static void require(boolean holds, String key, Object value, String expected) {
    if (!holds) {
      throw new ConfigException(key + " is " + value + "; expected " + expected);
    }
  }
}
