/**
 * How Lathe touches a disk: the storage port and the few protocols on top of it (staged
 * directories, manifests, locks, own file formats). Nothing about what the files mean.
 */
@org.jspecify.annotations.NullMarked
package org.lathe.training.files;
