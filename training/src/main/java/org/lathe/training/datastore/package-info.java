/**
 * External memory: keys, values and the search among them; the store on disk, how it is made,
 * changed and checked. What is stored is never changed in place: a small table says what is there.
 */
@NullMarked
package org.lathe.training.datastore;

import org.jspecify.annotations.NullMarked;
