/** How the gates are driven to a target: what is achieved, the target over time, the Lagrangian. */
@org.jspecify.annotations.NullMarked
package org.lathe.pruning.constraint;
