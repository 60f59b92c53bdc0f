/** Who is next in this JVM. */
@NullMarked
package dev.pals.internal.gate;

import org.jspecify.annotations.NullMarked;
