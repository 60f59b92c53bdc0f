package dev.pals.internal.session;

import dev.pals.lock.WaitPolicy;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** When a request started and when it gives up; asked again after every wait. Immutable. */
final class Deadline {
    /** PostgreSQL's largest {@code lock_timeout}; a longer wait is made of several. */
    private static final long MAX_LOCK_TIMEOUT_MILLIS = Integer.MAX_VALUE;

    private final LongSupplier nanoClock;
    private final long start;
    private final long limitNanos;

    private Deadline(LongSupplier nanoClock, long start, long limitNanos) {
        this.nanoClock = nanoClock;
        this.start = start;
        this.limitNanos = limitNanos;
    }

    static Deadline start(WaitPolicy policy, LongSupplier nanoClock) {
        long limit = policy.limit().map(Deadline::saturatedNanos).orElse(Long.MAX_VALUE);
        return new Deadline(nanoClock, nanoClock.getAsLong(), limit);
    }

    /** More than 292 years of nanoseconds do not fit: as good as forever. */
    private static long saturatedNanos(Duration duration) {
        return TimeUnit.NANOSECONDS.convert(duration);
    }

    boolean isForever() {
        return limitNanos == Long.MAX_VALUE;
    }

    Duration elapsed() {
        return Duration.ofNanos(nanoClock.getAsLong() - start);
    }

    /** Never negative. */
    long remainingNanos() {
        return isForever() ? Long.MAX_VALUE : Math.max(0, limitNanos - (nanoClock.getAsLong() - start));
    }

    boolean hasPassed() {
        return remainingNanos() == 0;
    }

    /**
     * The rest as PostgreSQL's {@code lock_timeout}: rounded up, since 0 there means no limit, and 0 for a wait
     * forever.
     */
    long lockTimeoutMillis() {
        if (isForever()) {
            return 0;
        }
        long rest = remainingNanos();
        long millis = TimeUnit.NANOSECONDS.toMillis(rest);
        return Math.min(
                Math.max(1, TimeUnit.MILLISECONDS.toNanos(millis) < rest ? millis + 1 : millis),
                MAX_LOCK_TIMEOUT_MILLIS);
    }
}
