package dev.pals.internal.gate;

import dev.pals.internal.session.Hold;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockLostException;
import dev.pals.lock.LockMode;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The locks of one request that went through all its gates. When the handle is forgotten, the cleaner releases them.
 */
public final class HeldLock implements LockHandle {
    private static final Logger LOG = LoggerFactory.getLogger(LockHandle.class);
    private static @Nullable Cleaner cleaner;

    private final Locks locks;
    private final Cleaner.Cleanable cleanable;
    private final Duration waited;

    HeldLock(Gates gates, Passage passage, Duration waited) {
        this.locks = new Locks(gates, passage);
        this.cleanable = gates.cleaner().register(this, locks);
        this.waited = waited;
        locks.watch();
    }

    /**
     * What finds forgotten handles; one for the whole program, with a thread of its own. Where there is no thread to be
     * had, this fails, and may be tried again.
     */
    public static synchronized Cleaner cleaner() {
        Cleaner made = cleaner;
        if (made == null) {
            made = Cleaner.create();
            cleaner = made;
        }
        return made;
    }

    @Override
    public List<LockKey> keys() {
        return locks.keys;
    }

    @Override
    public LockMode mode() {
        return locks.mode;
    }

    @Override
    public int attempts() {
        return locks.attempts;
    }

    @Override
    public Duration waited() {
        return waited;
    }

    @Override
    public boolean isHeld() {
        return locks.areHeld();
    }

    @Override
    public void confirm() {
        try {
            locks.confirm();
        } finally {
            // Until here the cleaner must not take the handle for forgotten.
            Reference.reachabilityFence(this);
        }
    }

    @Override
    public long fencingToken() {
        List<LockKey> asked = keys().stream().filter(key -> !isFormer(key)).toList();
        if (asked.size() > 1) {
            throw new IllegalStateException("The handle holds several locks, " + asked
                    + ", each with a token of its own: call fencingToken(key).");
        }
        return fencingToken(asked.get(0));
    }

    private boolean isFormer(LockKey key) {
        return keys().stream()
                .anyMatch(other -> other.formerly().filter(key::equals).isPresent());
    }

    @Override
    public long fencingToken(LockKey key) {
        int index = keys().indexOf(Objects.requireNonNull(key, "key"));
        if (index < 0) {
            throw new IllegalArgumentException("The handle does not hold " + key + " but " + keys() + ".");
        }
        if (mode() == LockMode.SHARED) {
            throw new IllegalStateException(
                    "The lock on " + key
                            + " is shared, and only exclusive ones come with a fencing token: who writes takes exclusive(...).");
        }
        if (!locks.gates.sessions().isFenced()) {
            throw new IllegalStateException("The lock on " + key + " came without a fencing token: build "
                    + locks.gates.sessions().name() + " with fencingTokens().");
        }
        return locks.entries[index].token();
    }

    @Override
    public void onLost(Consumer<? super LockLostException> listener) {
        locks.onLost(Objects.requireNonNull(listener, "listener"));
    }

    @Override
    public void close() {
        try {
            locks.inOrder = true;
            cleanable.clean();
            locks.throwLossOnce();
        } finally {
            // Until here the cleaner must not take the handle for forgotten.
            Reference.reachabilityFence(this);
        }
    }

    @Override
    public String toString() {
        return (isHeld() ? "holding " : "released ") + keys() + " (" + mode() + ", taken at " + locks.origin.takenAt()
                + ")";
    }

    /** What the cleaner runs, at most once. It must not refer to the handle, which would then never be unreachable. */
    static final class Locks implements Runnable {
        private final Gates gates;
        private final List<LockKey> keys;
        private final LockMode mode;
        private final Gate[] passed;
        private final Entry[] entries;
        private final int attempts;
        private final Origin origin;
        private final long since = System.nanoTime();
        private final List<Consumer<? super LockLostException>> whenLost = new ArrayList<>(0);
        private @Nullable LockLostException loss;
        private boolean lossIsThrown;
        private volatile boolean done;
        private volatile boolean inOrder;

        Locks(Gates gates, Passage passage) {
            this.gates = gates;
            this.keys = passage.keys();
            this.mode = passage.mode();
            this.passed = passage.passed();
            this.entries = passage.entries();
            this.attempts = passage.attempts();
            this.origin = passage.origin();
            shareTokens();
        }

        /**
         * A key and its former one have one token, the greater. The lock with the smaller one may be handed on alone,
         * to a request that does not know of the other name, and must not come with less than was shown for it here.
         */
        private void shareTokens() {
            if (keys.size() == 1 || mode == LockMode.SHARED || !gates.sessions().isFenced()) {
                return;
            }
            for (int i = 0; i < entries.length; i++) {
                int former = keys.get(i).formerly().map(keys::indexOf).orElse(-1);
                if (former >= 0) {
                    entries[i].raiseToken(entries[former].token());
                    entries[former].raiseToken(entries[i].token());
                }
            }
        }

        List<LockKey> keys() {
            return keys;
        }

        LockMode mode() {
            return mode;
        }

        int attempts() {
            return attempts;
        }

        Duration heldFor() {
            return Duration.ofNanos(System.nanoTime() - since);
        }

        private void watch() {
            for (Entry entry : entries) {
                entry.whenLost(() -> lose(Objects.requireNonNull(entry.failure())));
            }
        }

        private boolean areHeld() {
            if (done || gates.isClosed()) {
                return false;
            }
            for (Entry entry : entries) {
                if (!entry.isHeld()) {
                    return false;
                }
            }
            return true;
        }

        private void confirm() {
            while (!done && !gates.isClosed() && !isLost()) {
                ask();
                throwLossOnce();
                if (areHeld()) {
                    return;
                }
                // No loss is known, yet nothing is certain: the session has ended just now, or this program was
                // stopped since it asked, for so long that a lease may have ended it. The next answer tells.
            }
            throwLossOnce();
            throw new IllegalStateException(
                    "The locks on " + keys + " are no longer held: the handle or its locker was closed.");
        }

        private void ask() {
            try {
                Hold.confirm(Stream.of(entries)
                        .flatMap(entry -> Stream.ofNullable(entry.hold()))
                        .toList());
            } catch (SQLException e) {
                lose(e);
            }
        }

        private boolean isLost() {
            synchronized (whenLost) {
                return loss != null;
            }
        }

        /** Tells all listeners, once, and never on the thread that found out: others wait for that one. */
        private void lose(Exception cause) {
            LockLostException lost = new LockLostException(keys, cause);
            List<Consumer<? super LockLostException>> told;
            synchronized (whenLost) {
                if (loss != null) {
                    return;
                }
                loss = lost;
                told = List.copyOf(whenLost);
            }
            elsewhere(() -> {
                gates.events().lost(this, cause);
                told.forEach(listener -> tell(listener, lost));
            });
        }

        private void onLost(Consumer<? super LockLostException> listener) {
            LockLostException lost;
            synchronized (whenLost) {
                lost = loss;
                if (lost == null) {
                    whenLost.add(listener);
                }
            }
            if (lost != null) {
                elsewhere(() -> tell(listener, lost));
            }
        }

        private void elsewhere(Runnable work) {
            try {
                gates.sessions().threads().execute(work);
            } catch (RejectedExecutionException e) {
                // The locker is closed; nobody waits for this thread any more.
                work.run();
            }
        }

        private void tell(Consumer<? super LockLostException> listener, LockLostException lost) {
            try {
                listener.accept(lost);
            } catch (Throwable e) {
                // Errors too: the listeners behind it are to be told all the same.
                LOG.warn("A listener for the loss of {} failed", keys, e);
            }
        }

        private void throwLossOnce() {
            LockLostException thrown;
            synchronized (whenLost) {
                thrown = lossIsThrown ? null : loss;
                lossIsThrown |= loss != null;
            }
            if (thrown != null) {
                throw thrown;
            }
        }

        @Override
        public void run() {
            done = true;
            if (gates.isClosed()) {
                return;
            }
            if (!inOrder) {
                LOG.warn(
                        "A lock on {} was never released; its handle was dropped, and so it is released now."
                                + " It was taken at {}: use try-with-resources there.",
                        keys,
                        origin.takenAt());
            }
            Exception cause = gates.leave(passed, entries, entries.length);
            if (cause != null) {
                lose(cause);
            } else {
                gates.events().released(this);
            }
        }
    }
}
