/**
 * The bytes of SavedModel directories and of what lies beside the graph in them: readers with named
 * limits and their writers. No session and no TensorFlow runtime comes in here, only its protos.
 */
@NullMarked
package org.lathe.export.format;

import org.jspecify.annotations.NullMarked;
