package dev.pals.lock;

import dev.pals.key.LockKey;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a {@link LockListener} is told. Immutable and thread-safe.
 *
 * @param app the application's name, as its locker was given it
 * @param keys the locks that it is about, ascending: those of the request, or the single one that was handed on
 * @param mode how they are, were or would have been held
 * @param duration what each method of {@link LockListener} says; precise to a nanosecond, never negative
 * @param attempts how often the request has asked PostgreSQL for the locks, until they were granted or it gave up; 0
 *     for a lock that was handed on
 * @param cause why the locks were lost; empty for everything else
 */
public record LockEvent(
        String app, List<LockKey> keys, LockMode mode, Duration duration, int attempts, Optional<Throwable> cause) {
    /** Copies the keys, unless the list is immutable already. */
    public LockEvent {
        keys = List.copyOf(keys);
    }
}
