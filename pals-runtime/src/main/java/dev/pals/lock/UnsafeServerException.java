package dev.pals.lock;

/**
 * A locker was not opened, since locks would not exclude through its connections. Every message says what was seen, why
 * it is dangerous, and what to do.
 */
public final class UnsafeServerException extends LockException {
    private static final long serialVersionUID = 1L;

    /** What is wrong. */
    public enum Reason {
        /** A pooler gives the statements of one connection to different sessions of PostgreSQL. */
        SHARED_SESSIONS,
        /** A lock that one session had was granted to another. */
        NO_EXCLUSION,
        /** The server is a standby, whose locks exclude nobody on the primary. */
        STANDBY,
        /** The server is older than PostgreSQL 14. */
        TOO_OLD
    }

    private final Reason reason;

    /** For the runtime. */
    public UnsafeServerException(Reason reason, String message) {
        super(message, null);
        this.reason = reason;
    }

    /** What is wrong. */
    public Reason reason() {
        return reason;
    }
}
