package dev.pals.internal.gate;

import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockLostException;
import dev.pals.lock.LockMode;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The locks of one request that went through all its gates. When the handle is forgotten, the cleaner releases them.
 */
final class HeldLock implements LockHandle {
    private static final Logger LOG = LoggerFactory.getLogger(LockHandle.class);
    private static final Cleaner CLEANER = Cleaner.create();
    private static final StackWalker WALKER = StackWalker.getInstance();

    private final Release release;
    private final Cleaner.Cleanable cleanable;
    private final LockMode mode;
    private final int attempts;
    private final Duration waited;

    HeldLock(
            Gates gates,
            List<LockKey> keys,
            LockMode mode,
            List<Gate> passed,
            List<Entry> entries,
            int attempts,
            Duration waited) {
        this.release = new Release(gates, keys, List.copyOf(passed), List.copyOf(entries), takenAt());
        this.cleanable = CLEANER.register(this, release);
        this.mode = mode;
        this.attempts = attempts;
        this.waited = waited;
    }

    /** The first caller outside of this library. */
    private static String takenAt() {
        return WALKER.walk(frames -> frames.filter(frame -> !isOurs(frame.getClassName()))
                .findFirst()
                .map(Object::toString)
                .orElse("an unknown place"));
    }

    private static boolean isOurs(String className) {
        return className.startsWith("dev.pals.internal.") || className.equals("dev.pals.LockRequest");
    }

    @Override
    public List<LockKey> keys() {
        return release.keys;
    }

    @Override
    public LockMode mode() {
        return mode;
    }

    @Override
    public int attempts() {
        return attempts;
    }

    @Override
    public Duration waited() {
        return waited;
    }

    @Override
    public boolean isHeld() {
        return !release.done.get()
                && !release.gates.isClosed()
                && release.entries.stream().allMatch(entry -> entry.state() == Entry.State.GRANTED);
    }

    @Override
    public void close() {
        try {
            release.inOrder = true;
            cleanable.clean();
            Exception loss = release.loss.getAndSet(null);
            if (loss != null) {
                throw new LockLostException(release.keys, loss);
            }
        } finally {
            // Until here the cleaner must not take the handle for forgotten.
            Reference.reachabilityFence(this);
        }
    }

    @Override
    public String toString() {
        return (isHeld() ? "holding " : "released ") + release.keys + " (" + mode + ", taken at " + release.takenAt
                + ")";
    }

    /** What the cleaner runs, at most once. It must not refer to the handle, which would then never be unreachable. */
    private static final class Release implements Runnable {
        private final Gates gates;
        private final List<LockKey> keys;
        private final List<Gate> passed;
        private final List<Entry> entries;
        private final String takenAt;
        private final AtomicBoolean done = new AtomicBoolean();
        private final AtomicReference<@Nullable Exception> loss = new AtomicReference<>();
        private volatile boolean inOrder;

        Release(Gates gates, List<LockKey> keys, List<Gate> passed, List<Entry> entries, String takenAt) {
            this.gates = gates;
            this.keys = keys;
            this.passed = passed;
            this.entries = entries;
            this.takenAt = takenAt;
        }

        @Override
        public void run() {
            done.set(true);
            if (gates.isClosed()) {
                return;
            }
            if (!inOrder) {
                LOG.warn(
                        "A lock on {} was never released; its handle was dropped, and so it is released now."
                                + " It was taken at {}: use try-with-resources there.",
                        keys,
                        takenAt);
            }
            loss.set(gates.leave(passed, entries));
        }
    }
}
