package dev.pals.internal.session;

import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * The time by which sessions are kept alive and judged: the system's, but for tests that cannot wait for hours. What
 * threads sleep for is always the system's. Thread-safe.
 */
public interface Ticker {
    /** {@link System#nanoTime()}, and the watchdog's own thread. */
    Ticker SYSTEM = new Ticker() {
        @Override
        public long nanoTime() {
            return System.nanoTime();
        }

        @Override
        public void again(Runnable look, long delayMillis, ScheduledExecutorService watchdog) {
            var unused = watchdog.scheduleWithFixedDelay(look, delayMillis, delayMillis, TimeUnit.MILLISECONDS);
        }
    };

    /** As {@link System#nanoTime()}: of any origin, and it may wrap around. */
    long nanoTime();

    /** Has the watchdog look again and again. */
    void again(Runnable look, long delayMillis, ScheduledExecutorService watchdog);
}
