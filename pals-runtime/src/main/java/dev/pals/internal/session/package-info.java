/** PostgreSQL sessions: where they come from, how they wait, and that they never go back to a pool with a lock. */
@NullMarked
package dev.pals.internal.session;

import org.jspecify.annotations.NullMarked;
