/**
 * The annotation processor: a reader makes models of enums, a check compares them, a writer writes the classes of typed
 * keys.
 */
@NullMarked
package dev.pals.codegen;

import org.jspecify.annotations.NullMarked;
