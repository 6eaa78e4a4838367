/** What this machine can do: asks TensorFlow and the tokenizer library directly. */
@NullMarked
package org.lathe.cli.doctor;

import org.jspecify.annotations.NullMarked;
