/** The training loop and the tasks that it can train; sessions are opened here. */
@NullMarked
package org.lathe.training.loop;

import org.jspecify.annotations.NullMarked;
