package dev.pals.internal.sql;

import java.sql.SQLException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The SQLSTATEs that PALs acts on. Error texts are never matched: they change with {@code lc_messages}.
 *
 * @see <a href="https://www.postgresql.org/docs/current/errcodes-appendix.html">PostgreSQL's error codes</a>
 */
public enum SqlState {
    /** {@code lock_timeout} ran out. The lock may have been granted all the same. */
    LOCK_NOT_AVAILABLE("55P03"),
    /** Cancelled by {@code statement_timeout} or by another session. The lock may have been granted all the same. */
    QUERY_CANCELED("57014"),
    /** A setting does not accept the value, or not on this operating system. */
    INVALID_PARAMETER_VALUE("22023"),
    /** The table or view is not there. */
    UNDEFINED_TABLE("42P01"),
    /** The table or view has no such column. */
    UNDEFINED_COLUMN("42703"),
    /** The schema is not there. */
    INVALID_SCHEMA_NAME("3F000"),
    /** The role lacks a privilege. */
    INSUFFICIENT_PRIVILEGE("42501"),
    /** The server takes no writes: a standby, or a read-only transaction. */
    READ_ONLY("25006"),
    /** The server, or the role, may have no more connections. */
    TOO_MANY_CONNECTIONS("53300");

    private final String code;

    SqlState(String code) {
        this.code = code;
    }

    /** Whether the exception carries this state. */
    public boolean matches(SQLException e) {
        return code.equals(e.getSQLState());
    }

    /** Whether PostgreSQL gave this state, whatever has been put around its exception. */
    public boolean isCauseOf(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException sql) {
                return matches(sql);
            }
        }
        return false;
    }

    /** Whether a state is one of these. */
    public static boolean anyOf(@Nullable String state, SqlState... states) {
        return Arrays.stream(states).anyMatch(s -> s.code.equals(state));
    }
}
