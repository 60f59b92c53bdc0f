/** The transactions of those who call: whether there is one, and how to work within it without ending it. */
@NullMarked
package dev.pals.internal.transaction;

import org.jspecify.annotations.NullMarked;
