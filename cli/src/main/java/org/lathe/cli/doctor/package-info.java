/** What this machine can do; the only room of the command line that asks TensorFlow directly. */
@NullMarked
package org.lathe.cli.doctor;

import org.jspecify.annotations.NullMarked;
