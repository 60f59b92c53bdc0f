package dev.pals.lock;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How long a request waits for its locks, and where: in PostgreSQL's own queue (first come, first served) or by
 * polling.
 *
 * <p>Durations are precise to a millisecond and rounded up. Immutable and thread-safe.
 */
public final class WaitPolicy {
    private static final WaitPolicy NONE = new WaitPolicy(Duration.ZERO, null);
    private static final WaitPolicy FOREVER = new WaitPolicy(null, null);

    private final @Nullable Duration limit;
    private final @Nullable Duration retryDelay;

    private WaitPolicy(@Nullable Duration limit, @Nullable Duration retryDelay) {
        this.limit = limit;
        this.retryDelay = retryDelay;
    }

    /** One try and no waiting. */
    public static WaitPolicy none() {
        return NONE;
    }

    /** Waits in PostgreSQL's queue until the locks are granted, however long that takes. */
    public static WaitPolicy forever() {
        return FOREVER;
    }

    /**
     * Waits in PostgreSQL's queue, at most this long; zero is the same as {@link #none()}.
     *
     * @throws InvalidWaitException if the limit is null or negative
     * @see <a
     *     href="https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT">lock_timeout</a>
     */
    public static WaitPolicy atMost(Duration limit) {
        return checked("limit", limit).isZero() ? NONE : new WaitPolicy(limit, null);
    }

    /**
     * Tries, sleeps and tries again, without a place in PostgreSQL's queue: a request that queues comes first.
     *
     * @param retryDelay how long to sleep between two tries; more than zero
     * @param retryTimeout when to give up; zero for a single try
     * @throws InvalidWaitException if either is null or negative, or the delay is zero
     */
    public static WaitPolicy polling(Duration retryDelay, Duration retryTimeout) {
        checked("retryTimeout", retryTimeout);
        if (checked("retryDelay", retryDelay).isZero()) {
            throw new InvalidWaitException(
                    "retryDelay is zero: trying without a pause keeps PostgreSQL busy for nothing."
                            + " Give a delay of at least a millisecond.");
        }
        return new WaitPolicy(retryTimeout, retryDelay);
    }

    private static Duration checked(String argument, @Nullable Duration duration) {
        if (duration == null) {
            throw new InvalidWaitException(argument
                    + " is null. Give a Duration; Duration.ZERO does not wait, WaitPolicy.forever() always does.");
        }
        if (duration.isNegative()) {
            throw new InvalidWaitException(argument + " is negative (" + duration
                    + "). Give zero or more; Duration.ZERO does not wait, WaitPolicy.forever() always does.");
        }
        return duration;
    }

    /** The longest wait, or empty for {@link #forever()}. */
    public Optional<Duration> limit() {
        return Optional.ofNullable(limit);
    }

    /** The pause between two tries, or empty for a wait in PostgreSQL's queue. */
    public Optional<Duration> retryDelay() {
        return Optional.ofNullable(retryDelay);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof WaitPolicy policy
                && Objects.equals(limit, policy.limit)
                && Objects.equals(retryDelay, policy.retryDelay);
    }

    @Override
    public int hashCode() {
        return Objects.hash(limit, retryDelay);
    }

    @Override
    public String toString() {
        return (limit == null ? "forever" : "at most " + limit)
                + (retryDelay == null ? "" : ", polling each " + retryDelay);
    }
}
