/** What an application uses: a {@link dev.pals.Locker} and its requests. */
@NullMarked
package dev.pals;

import org.jspecify.annotations.NullMarked;
