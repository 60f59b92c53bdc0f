package dev.pals.internal.session;

import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockLostException;
import dev.pals.lock.LockMode;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The locks that one session holds. When the handle is forgotten, the cleaner releases them. */
final class HeldLock implements LockHandle {
    private static final Logger LOG = LoggerFactory.getLogger(LockHandle.class);
    private static final Cleaner CLEANER = Cleaner.create();

    private final Release release;
    private final Cleaner.Cleanable cleanable;
    private final LockMode mode;
    private final int attempts;
    private final Duration waited;

    HeldLock(SessionPool pool, Session session, List<LockKey> keys, LockMode mode, int attempts, Duration waited) {
        this.release = new Release(pool, session, keys, takenAt());
        this.cleanable = CLEANER.register(this, release);
        this.mode = mode;
        this.attempts = attempts;
        this.waited = waited;
    }

    /** The first caller outside of this library. */
    private static String takenAt() {
        return StackWalker.getInstance()
                .walk(frames -> frames.filter(frame -> !isOurs(frame.getClassName()))
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
        return release.session.isHolding();
    }

    @Override
    public void close() {
        try {
            release.inOrder = true;
            cleanable.clean();
            SQLException failure = release.failure;
            release.failure = null;
            if (failure != null) {
                throw new LockLostException(release.keys, failure);
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
        private final SessionPool pool;
        private final Session session;
        private final List<LockKey> keys;
        private final String takenAt;
        private volatile boolean inOrder;
        private volatile @Nullable SQLException failure;

        Release(SessionPool pool, Session session, List<LockKey> keys, String takenAt) {
            this.pool = pool;
            this.session = session;
            this.keys = keys;
            this.takenAt = takenAt;
        }

        @Override
        public void run() {
            if (!session.move(Session.State.HOLDING, Session.State.ENDED)) {
                return;
            }
            if (!inOrder) {
                LOG.warn(
                        "A lock on {} was never released; its handle was dropped, and so it is released now."
                                + " It was taken at {}: use try-with-resources there.",
                        keys,
                        takenAt);
            }
            failure = pool.giveBack(session);
        }
    }
}
