package dev.pals.lock;

import dev.pals.key.LockKey;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The locks were not granted within the wait; none of them is held. */
public final class LockTimeoutException extends LockException {
    private static final long serialVersionUID = 1L;

    private final LockKey[] keys;
    private final int attempts;
    private final Duration waited;

    /** For the runtime. */
    public LockTimeoutException(List<LockKey> keys, LockMode mode, WaitPolicy policy, int attempts, Duration waited) {
        super(
                "No " + mode.name().toLowerCase(Locale.ROOT) + " lock on " + keys + " after " + waited.toMillis()
                        + " ms and " + attempts + (attempts == 1 ? " attempt" : " attempts") + " (" + policy
                        + "): another session holds it. The view pals.advisory_lock shows who; waitAtMost(...) waits longer.",
                null);
        this.keys = keys.toArray(LockKey[]::new);
        this.attempts = attempts;
        this.waited = waited;
    }

    /**
     * For the runtime: of a transaction, which is aborted unless a savepoint stands before the request.
     *
     * @param limit what ended the wait
     */
    public LockTimeoutException(
            List<LockKey> keys, LockMode mode, String limit, Duration waited, @Nullable Throwable cause) {
        super(
                "No " + mode.name().toLowerCase(Locale.ROOT) + " lock on " + keys + " in the transaction after "
                        + waited.toMillis() + " ms (" + limit
                        + "): another session holds it. The view pals.advisory_lock shows who; waitAtMost(...) waits longer.",
                cause);
        this.keys = keys.toArray(LockKey[]::new);
        this.attempts = 1;
        this.waited = waited;
    }

    /** The keys that were asked for. */
    public List<LockKey> keys() {
        return List.of(keys);
    }

    /** How often PostgreSQL was asked; at least 1. */
    public int attempts() {
        return attempts;
    }

    /** How long the request waited until it gave up. */
    public Duration waited() {
        return waited;
    }
}
