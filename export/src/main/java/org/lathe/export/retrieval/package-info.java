/**
 * An external memory in a served graph: the index as variables, the search as ops, and the mixing
 * of what was found with the vocabulary. Also the same by another path, to compare with. No
 * sessions, and of the disk only the list of documents.
 */
@NullMarked
package org.lathe.export.retrieval;

import org.jspecify.annotations.NullMarked;
