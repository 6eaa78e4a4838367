/**
 * From weights and a plan to the smaller weights of a smaller model, decoder or encoder. Plain
 * arithmetic on arrays.
 */
@org.jspecify.annotations.NullMarked
package org.lathe.pruning.slimming;
