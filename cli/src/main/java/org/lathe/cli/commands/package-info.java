/** One picocli class per command and the option groups they share: parse, validate, delegate. */
@NullMarked
package org.lathe.cli.commands;

import org.jspecify.annotations.NullMarked;
