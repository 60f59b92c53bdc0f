/** The vocabulary of locking: handles, modes, wait policies and exceptions. */
@NullMarked
package dev.pals.lock;

import org.jspecify.annotations.NullMarked;
