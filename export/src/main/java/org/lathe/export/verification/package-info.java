/**
 * Opens SavedModels with TensorFlow's own loader and compares what they compute with independent
 * references.
 */
@NullMarked
package org.lathe.export.verification;

import org.jspecify.annotations.NullMarked;
