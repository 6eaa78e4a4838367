/** What is kept of a model and how it is written down. No graphs. */
@org.jspecify.annotations.NullMarked
package org.lathe.pruning.plan;
