package dev.pals;

import dev.pals.internal.session.Ticker;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicLong;

/** A time that passes only when a test says so, and watchdogs that look only then. */
final class SimulatedTime implements Ticker {
    private final AtomicLong nanos;
    private final List<Runnable> looks = new CopyOnWriteArrayList<>();
    private volatile Duration delay = Duration.ZERO;

    SimulatedTime(long startNanos) {
        nanos = new AtomicLong(startNanos);
    }

    @Override
    public long nanoTime() {
        return nanos.get();
    }

    @Override
    public void again(Runnable look, long delayMillis, ScheduledExecutorService watchdog) {
        looks.add(look);
        delay = Duration.ofMillis(delayMillis);
    }

    /** After how long the watchdog is to look again. */
    Duration delay() {
        return delay;
    }

    /** Nobody looks meanwhile, as in a program that hangs. */
    void pass(Duration time) {
        nanos.addAndGet(time.toNanos());
    }

    void look() {
        looks.forEach(Runnable::run);
    }
}
