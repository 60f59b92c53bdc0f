package dev.pals.lock;

import dev.pals.key.LockKey;
import java.time.Duration;
import java.util.List;

/**
 * Locks that are held, until {@link #close()}. Use it in try-with-resources:
 *
 * <pre>{@code
 * try (LockHandle lock = locker.exclusive(INVOICE_RUN).acquire()) {
 *     // at most one program is here
 * }
 * }</pre>
 *
 * <p>A handle that becomes unreachable without {@code close()} is released some time after a garbage collection, and
 * the log says where it was taken. Thread-safe; any thread may close it.
 */
public interface LockHandle extends AutoCloseable {
    /**
     * The keys of all locks that are held, ascending; among them those of {@linkplain LockKey#formerly() former} names.
     */
    List<LockKey> keys();

    /** How they are held. */
    LockMode mode();

    /** How often PostgreSQL was asked for the locks until it granted them; at least 1. */
    int attempts();

    /** How long the request took, from the call until all locks were granted. */
    Duration waited();

    /**
     * Whether, as far as this program knows, the locks are held: neither closed nor found lost. No round trip: sessions
     * that hold locks are asked for a sign of life four times a second.
     */
    boolean isHeld();

    /**
     * Releases the locks; does nothing when called again, or after the locker was closed.
     *
     * @throws LockLostException if PostgreSQL no longer held them, because its session had ended; try-with-resources
     *     adds it to an exception of the body as suppressed
     * @see <a
     *     href="https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADVISORY-LOCKS">pg_advisory_unlock</a>
     */
    @Override
    void close();
}
