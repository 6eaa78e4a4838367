/**
 * The narrow waist between commands and engines: requests, outcomes, and one small class per
 * command that joins the engines of the other modules. No option parsing, no printing.
 */
@NullMarked
package org.lathe.cli.workflow;

import org.jspecify.annotations.NullMarked;
