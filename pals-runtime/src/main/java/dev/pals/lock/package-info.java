/** The vocabulary of locking: handles, modes, wait policies, listeners and exceptions. */
@NullMarked
package dev.pals.lock;

import org.jspecify.annotations.NullMarked;
