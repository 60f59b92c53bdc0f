package dev.pals.lock;

import dev.pals.key.LockKey;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

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
     * Whether, as far as this program knows, the locks are held: neither closed nor found lost, nor, where the locker
     * has a lease, without a sign of life from PostgreSQL for so long that the lease may have ended them. No round
     * trip: sessions that hold locks are asked for a sign of life four times a second.
     */
    boolean isHeld();

    /**
     * Asks PostgreSQL whether the sessions that have the locks live, where {@link #isHeld()} says what was known a
     * moment ago: for the last moment before a step that cannot be taken back. One round trip for each session.
     *
     * @throws LockLostException if they were lost; {@link #close()} does not throw it again then
     * @throws IllegalStateException if they were released
     */
    void confirm();

    /**
     * Calls the listener once if the locks are lost: their PostgreSQL session has ended before they were released, so
     * others may hold them now. Where they are lost already, it is called at once. It runs on a thread of the
     * library's; what it throws is logged. A listener that refers to the handle keeps it from being found forgotten.
     *
     * @param listener is given what {@link #close()} throws too; the cause says why the session ended
     */
    void onLost(Consumer<? super LockLostException> listener);

    /**
     * The fencing token of the lock: at least 1, and greater than that of every holder of the key before, in any
     * program. A resource that refuses what comes with a smaller token than it has seen is safe from a holder that has
     * lost its lock and does not know it yet; {@code FencingTokens.check(trx, handle)} makes a jOOQ transaction such a
     * resource.
     *
     * @throws IllegalStateException if the locker was built without {@code fencingTokens()}, the lock is shared, or the
     *     handle is of a request for several keys, which have a token each
     * @see <a href="https://www.postgresql.org/docs/current/functions-sequence.html">nextval</a>
     */
    long fencingToken();

    /**
     * As {@link #fencingToken()}, for one of several keys. A key and its {@linkplain LockKey#formerly() former} one
     * have the same.
     *
     * @throws IllegalArgumentException if the handle does not hold this key
     */
    long fencingToken(LockKey key);

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
