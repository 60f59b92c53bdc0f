package dev.pals.lock;

import org.jspecify.annotations.Nullable;

/** No PostgreSQL session was to be had, so the locks were not even tried for; none is held. */
public final class SessionUnavailableException extends LockException {
    private static final long serialVersionUID = 1L;

    /** For the runtime. */
    public SessionUnavailableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
