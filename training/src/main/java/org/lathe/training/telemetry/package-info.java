/**
 * What a run tells while it works: metric lines and TensorBoard events. Numbers come in, nothing
 * here computes them.
 */
@org.jspecify.annotations.NullMarked
package org.lathe.training.telemetry;
