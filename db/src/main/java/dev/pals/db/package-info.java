/** The schema {@code pals}: its migrations and how to run them. */
@NullMarked
package dev.pals.db;

import org.jspecify.annotations.NullMarked;
