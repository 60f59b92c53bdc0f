/** What the examples share. */
@NullMarked
package dev.pals.examples;

import org.jspecify.annotations.NullMarked;
