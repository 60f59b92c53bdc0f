/** The names behind the numbers: generated lock catalogs go into the table {@code pals.lock_name}. */
@NullMarked
package dev.pals.internal.registry;

import org.jspecify.annotations.NullMarked;
