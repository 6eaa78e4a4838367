/**
 * How gradients change variables: learning rate schedules, parameter groups, clipping,
 * accumulation, and one class for the formula of each optimizer. Adds ops to a graph; opens no
 * session and no file.
 */
@NullMarked
package org.lathe.training.optimization;

import org.jspecify.annotations.NullMarked;
