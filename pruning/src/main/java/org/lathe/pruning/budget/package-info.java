/**
 * What a model of a given or expected size costs, in parameters and in milliseconds, in plain Java
 * and as graph ops.
 */
@org.jspecify.annotations.NullMarked
package org.lathe.pruning.budget;
