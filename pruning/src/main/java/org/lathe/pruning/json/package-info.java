/** The one form of the JSON files of this module: format, version, checksum, content. */
@org.jspecify.annotations.NullMarked
package org.lathe.pruning.json;
