package dev.pals.lock;

import dev.pals.key.LockKey;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Events for tests of listeners. */
final class LockEvents {
    static final LockKey ONE = LockKey.of("events", "one");
    static final LockKey TWO = LockKey.of("events", "two");

    private LockEvents() {}

    static LockEvent event() {
        return event(Optional.empty());
    }

    static LockEvent event(Optional<Throwable> cause) {
        return new LockEvent("events", List.of(ONE, TWO), LockMode.SHARED, Duration.ofNanos(12_345_678), 3, cause);
    }

    /** Its cause cannot be turned into text: whoever is switched off must not try. */
    static LockEvent eventWithoutText() {
        return event(Optional.of(new IllegalStateException() {
            private static final long serialVersionUID = 1L;

            @Override
            public String getMessage() {
                throw new AssertionError("text of the cause");
            }
        }));
    }
}
