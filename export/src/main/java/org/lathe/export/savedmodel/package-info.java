/**
 * From weights and a configuration to a published, versioned SavedModel directory: the inference
 * graph, its signatures, its variables. Nothing of training comes in here.
 */
@NullMarked
package org.lathe.export.savedmodel;

import org.jspecify.annotations.NullMarked;
