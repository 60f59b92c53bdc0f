package dev.pals.internal.gate;

import dev.pals.internal.session.Hold;
import dev.pals.lock.LockMode;
import java.util.concurrent.locks.LockSupport;
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

    private final LockMode mode;
    private final long deadlineNanos;
    private final boolean patient;
    private final Thread caller = Thread.currentThread();
    private volatile State state = State.QUEUED;
    private int attempts;
    private @Nullable Exception failure;
    private @Nullable Hold hold;

    /**
     * Makes one for this thread.
     *
     * @param patient whether it waits; otherwise it misses where the lock is not free
     * @param deadlineNanos when it gives up, by {@link System#nanoTime()}
     */
    Entry(LockMode mode, boolean patient, long deadlineNanos) {
        this.mode = mode;
        this.patient = patient;
        this.deadlineNanos = deadlineNanos;
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
        return caller == Thread.currentThread();
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

    void grant(Hold held) {
        hold = held;
        end(State.GRANTED);
    }

    void end(State end, Exception cause) {
        failure = cause;
        end(end);
    }

    void end(State end) {
        state = end;
        if (caller != Thread.currentThread()) {
            LockSupport.unpark(caller);
        }
    }
}
