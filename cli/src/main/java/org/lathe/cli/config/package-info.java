/** The configuration as records, and how YAML, presets and overrides become them. No engines. */
@NullMarked
package org.lathe.cli.config;

import org.jspecify.annotations.NullMarked;
