/** Statements built with jOOQ, SQLSTATEs by name. */
@NullMarked
package dev.pals.internal.sql;

import org.jspecify.annotations.NullMarked;
