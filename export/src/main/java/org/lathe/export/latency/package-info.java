/** How long models and their sublayers take on this machine: medians with confidence intervals. */
@NullMarked
package org.lathe.export.latency;

import org.jspecify.annotations.NullMarked;
