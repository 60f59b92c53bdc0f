/** Advisory locks and fencing tokens in jOOQ's DSL. */
@NullMarked
package dev.pals.jooq;

import org.jspecify.annotations.NullMarked;
