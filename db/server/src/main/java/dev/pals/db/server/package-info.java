/** Where a PostgreSQL comes from in builds, tests and examples; not for production. */
@NullMarked
package dev.pals.db.server;

import org.jspecify.annotations.NullMarked;
