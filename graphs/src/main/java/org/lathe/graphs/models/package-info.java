/** Whole models made of layers, and their losses. */
@NullMarked
package org.lathe.graphs.models;

import org.jspecify.annotations.NullMarked;
