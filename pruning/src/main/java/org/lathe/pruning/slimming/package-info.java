/**
 * From weights and a plan to the smaller weights of a smaller model. Plain arithmetic on arrays.
 */
@org.jspecify.annotations.NullMarked
package org.lathe.pruning.slimming;
