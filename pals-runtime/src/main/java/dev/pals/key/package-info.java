/** Lock keys: from names to the numbers that go to PostgreSQL. Needs nothing but the JDK. */
@NullMarked
package dev.pals.key;

import org.jspecify.annotations.NullMarked;
