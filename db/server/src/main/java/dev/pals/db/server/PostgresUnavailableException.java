package dev.pals.db.server;

import org.jspecify.annotations.Nullable;

/** No PostgreSQL could be had; the message says from where, and what to do. */
public final class PostgresUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    PostgresUnavailableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
