/** Advisory locks in jOOQ's DSL. */
@NullMarked
package dev.pals.jooq;

import org.jspecify.annotations.NullMarked;
