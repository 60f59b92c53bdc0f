package dev.pals.lock;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Writes what happens to locks to the SLF4J logger {@code dev.pals.lock.LockLog}: losses as warnings with their cause,
 * timeouts at level INFO, and all else at DEBUG. Durations are in milliseconds. Thread-safe.
 */
public final class LockLog implements LockListener {
    private final Logger log;

    /** Writes to the logger {@code dev.pals.lock.LockLog}. */
    public LockLog() {
        this(LoggerFactory.getLogger(LockLog.class));
    }

    LockLog(Logger log) {
        this.log = log;
    }

    @Override
    public void acquired(LockEvent event) {
        log(Level.DEBUG, "Acquired", "took", event);
    }

    @Override
    public void waited(LockEvent event) {
        log(Level.DEBUG, "Waited for", "waited", event);
    }

    @Override
    public void handedOff(LockEvent event) {
        log(Level.DEBUG, "Handed on", "held in PostgreSQL", event);
    }

    @Override
    public void timedOut(LockEvent event) {
        log(Level.INFO, "Timed out on", "waited", event);
    }

    @Override
    public void lost(LockEvent event) {
        log(Level.WARN, "Lost", "held", event);
    }

    @Override
    public void released(LockEvent event) {
        log(Level.DEBUG, "Released", "held", event);
    }

    private void log(Level level, String what, String durationIs, LockEvent event) {
        if (log.isEnabledForLevel(level)) {
            log.atLevel(level)
                    .setCause(event.cause().orElse(null))
                    .log(
                            "{} {} lock on {}: app={}, {}={} ms, attempts={}",
                            what,
                            event.mode().name().toLowerCase(Locale.ROOT),
                            event.keys(),
                            event.app(),
                            durationIs,
                            // A lock from a neighbour takes microseconds.
                            BigDecimal.valueOf(TimeUnit.MICROSECONDS.convert(event.duration()), 3),
                            event.attempts());
        }
    }
}
