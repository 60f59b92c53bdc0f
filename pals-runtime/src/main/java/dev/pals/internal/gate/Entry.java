package dev.pals.internal.gate;

import dev.pals.internal.session.Hold;
import dev.pals.key.LockKey;
import dev.pals.lock.LockMode;
import dev.pals.lock.LockUse;
import java.time.Duration;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** One request at one gate. Its fields are written under the gate's lock, before the state that lets them be read. */
final class Entry {
    enum State {
        QUEUED,
        GRANTED,
        /** Somebody else holds the lock, and this entry would not wait. */
        MISSED,
        FAILED,
        CLOSED,
        /** Taken out by its own request. */
        WITHDRAWN,
        /** It was granted, and PostgreSQL's session has ended since. */
        LOST
    }

    /** Null once only a loss is to be told: it may refer to the handle, which then would never be found forgotten. */
    private volatile @Nullable Caller caller;

    private final Origin origin;
    private final LockMode mode;
    private final long deadlineNanos;
    private final boolean patient;
    private volatile State state = State.QUEUED;
    private int attempts;
    private boolean handedOff;
    private long token;
    private long heldSince;
    /** When it was queued, or granted. */
    private long turnedAt = System.nanoTime();

    private @Nullable Exception failure;
    private @Nullable Hold hold;
    private volatile @Nullable Runnable whenLost;

    /**
     * Makes one.
     *
     * @param caller is told when something has become of it
     * @param patient whether it waits; otherwise it misses where the lock is not free
     * @param deadlineNanos when it gives up, by {@link System#nanoTime()}
     */
    Entry(Caller caller, Origin origin, LockMode mode, boolean patient, long deadlineNanos) {
        this.caller = caller;
        this.origin = origin;
        this.mode = mode;
        this.patient = patient;
        this.deadlineNanos = deadlineNanos;
    }

    /** Whose request it is. */
    interface Caller {
        /** Lets the request look at its entry again; on any thread, without any lock. */
        void wake();

        /** Whether the calling thread is the one that waits for the request, so that an interrupt is meant for it. */
        boolean isThisThread();
    }

    LockMode mode() {
        return mode;
    }

    boolean isPatient() {
        return patient;
    }

    long deadlineNanos() {
        return deadlineNanos;
    }

    /** Whether it has waited as long as it would. */
    boolean hasExpired() {
        return patient && deadlineNanos - System.nanoTime() <= 0;
    }

    boolean isOfThisThread() {
        Caller asks = caller;
        return asks != null && asks.isThisThread();
    }

    State state() {
        return state;
    }

    int attempts() {
        return attempts;
    }

    void asked() {
        attempts++;
    }

    /** Why it failed or was lost. */
    @Nullable
    Exception failure() {
        return failure;
    }

    /** What PostgreSQL holds for it, once it is granted. */
    @Nullable
    Hold hold() {
        return hold;
    }

    /** Whether it had the lock from another entry, without a round trip. */
    boolean wasHandedOff() {
        return handedOff;
    }

    /** How long PostgreSQL has held the lock for this program, once it is granted. */
    Duration heldFor() {
        return Duration.ofNanos(System.nanoTime() - heldSince);
    }

    /** For the eyes of people; under the gate's lock. */
    LockUse use(LockKey key) {
        return new LockUse(
                key,
                mode,
                state == State.GRANTED,
                origin.thread(),
                origin.takenAt().toString(),
                Duration.ofNanos(System.nanoTime() - turnedAt),
                hold == null ? OptionalInt.empty() : hold.pid());
    }

    /** The fencing token, once it is granted. */
    long token() {
        return token;
    }

    /**
     * Makes it at least this, and those greater to which the lock is handed on; for an exclusive lock that is held.
     * Where it is lost, others may have tokens between the two.
     */
    void raiseToken(long least) {
        Hold held = hold;
        if (held != null && held.loss() == null && token < least) {
            held.raiseToken(held.token() + (least - token));
            token = least;
        }
    }

    /** Whether the lock is held, as certainly as can be known without a round trip. */
    boolean isHeld() {
        Hold held = hold;
        return state == State.GRANTED && held != null && held.isConfirmed();
    }

    /**
     * The lock is held for it.
     *
     * @param before how many entries the same hold was granted to before
     * @param since since when PostgreSQL holds it, by {@link System#nanoTime()}
     */
    void grant(Hold held, int before, long since) {
        hold = held;
        heldSince = since;
        turnedAt = System.nanoTime();
        token = held.token() + before;
        handedOff = before > 0;
        state = State.GRANTED;
    }

    void end(State end, @Nullable Exception cause) {
        failure = cause;
        state = end;
    }

    /** Is run at once if the lock is lost already. It may run more than once. */
    void whenLost(Runnable told) {
        whenLost = told;
        caller = null;
        if (state == State.LOST) {
            told.run();
        }
    }

    /** Tells whose it is what has become of it; without any lock. */
    void tell() {
        Runnable told = whenLost;
        Caller woken = caller;
        if (state == State.LOST && told != null) {
            told.run();
        } else if (woken != null) {
            woken.wake();
        }
    }
}
