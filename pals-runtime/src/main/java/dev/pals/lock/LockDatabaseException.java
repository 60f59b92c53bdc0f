package dev.pals.lock;

import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/**
 * PostgreSQL refused a connection, or a statement that locks or checks a fencing token; none of the requested locks is
 * held.
 */
public final class LockDatabaseException extends LockException {
    private static final long serialVersionUID = 1L;

    private final @Nullable String sqlState;

    /** For the runtime. */
    public LockDatabaseException(String message, Throwable cause) {
        super(message, cause);
        sqlState = sqlStateOf(cause);
    }

    private static @Nullable String sqlStateOf(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql) {
                return sql.getSQLState();
            }
        }
        return null;
    }

    /**
     * PostgreSQL's code for what happened, or null where it never answered.
     *
     * @see <a href="https://www.postgresql.org/docs/current/errcodes-appendix.html">PostgreSQL's error codes</a>
     */
    public @Nullable String sqlState() {
        return sqlState;
    }
}
