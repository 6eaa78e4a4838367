package org.lathe.graphs.errors;

/**
 * A configuration or an option that cannot be meant: unknown key, wrong type, impossible value.
 * Exit code 2.
 */
public final class ConfigException extends LatheException {
  private static final long serialVersionUID = 1L;

  public ConfigException(String message) {
    super(2, message);
  }

  public ConfigException(String message, Throwable cause) {
    super(2, message, cause);
  }
}
