package dev.pals.internal.session;

import dev.pals.lock.WaitPolicy;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** When a request started and when it gives up; asked again after every wait. Immutable. */
public final class Deadline {
    private final LongSupplier nanoClock;
    private final long start;
    private final long limitNanos;

    private Deadline(LongSupplier nanoClock, long start, long limitNanos) {
        this.nanoClock = nanoClock;
        this.start = start;
        this.limitNanos = limitNanos;
    }

    public static Deadline start(WaitPolicy policy, LongSupplier nanoClock) {
        long limit = policy.limit().map(Deadline::saturatedNanos).orElse(Long.MAX_VALUE);
        return new Deadline(nanoClock, nanoClock.getAsLong(), limit);
    }

    /** More than 292 years of nanoseconds do not fit: as good as forever. */
    private static long saturatedNanos(Duration duration) {
        return TimeUnit.NANOSECONDS.convert(duration);
    }

    /** Whether it never passes. */
    public boolean isForever() {
        return limitNanos == Long.MAX_VALUE;
    }

    public Duration elapsed() {
        return Duration.ofNanos(nanoClock.getAsLong() - start);
    }

    /** Never negative. */
    public long remainingNanos() {
        return isForever() ? Long.MAX_VALUE : Math.max(0, limitNanos - (nanoClock.getAsLong() - start));
    }

    public boolean hasPassed() {
        return remainingNanos() == 0;
    }

    /** The moment, by the clock's nanoseconds; half of its range ahead for a wait forever. */
    public long nanos() {
        return start + Math.min(limitNanos, Long.MAX_VALUE / 2);
    }
}
