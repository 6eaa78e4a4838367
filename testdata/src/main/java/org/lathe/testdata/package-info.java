/**
 * The test kit: sessions, seeded cases, gradient checks and array assertions. Knows TensorFlow and
 * the test libraries, nothing of Lathe, so that every module's tests may use it.
 */
@NullMarked
package org.lathe.testdata;

import org.jspecify.annotations.NullMarked;
