package dev.pals.internal.gate;

import dev.pals.internal.session.Hold;
import dev.pals.internal.session.Sessions;
import dev.pals.key.LockKey;
import dev.pals.lock.LockMode;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The queue of this JVM in front of one key.
 *
 * <p>First come, first served; only the head talks to PostgreSQL. When a holder leaves, the lock is handed to the next
 * in the queue without a round trip, since for PostgreSQL the same session goes on holding it. That is bounded by count
 * and by time: then the lock is really freed, so that whoever waits for it in another JVM has it next. Shared holders
 * share one lock of PostgreSQL's, and are counted; a shared request does not pass an exclusive one that came before it.
 *
 * <p>The gate itself does no input or output. Each step is decided under its lock and returned as an {@link Action},
 * which the thread at hand carries out after the lock is released; its outcome is the next step. At any time at most
 * one conversation with PostgreSQL is under way for a gate. Giving up and being granted are decided under the same
 * lock, so an entry is never handed a lock after it has left.
 */
final class Gate {
    /** Measured with two JVMs: more hand-offs in a row gain nothing. */
    static final int MAX_HAND_OFFS = 64;

    static final long MAX_HAND_OFF_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    /** What to do next, outside of the gate's lock. */
    enum Action {
        NOTHING,
        /** Try to take the lock, for the head. */
        ASK,
        /** Free the lock. */
        FREE,
        /** Free the lock, and try to take it again for the head, behind those that wait in PostgreSQL's queue. */
        FREE_AND_ASK,
        /** Wait for the lock, for the head. */
        WAIT
    }

    private enum Talk {
        NONE,
        /** For one round trip, so even those that do not wait may stay. */
        TRYING,
        WAITING
    }

    private final Gates gates;
    private final LockKey key;
    private final ReentrantLock lock = new ReentrantLock();
    private final Deque<Entry> queue = new ArrayDeque<>();
    private final List<Entry> holders = new ArrayList<>();
    private Talk talk = Talk.NONE;
    private @Nullable Hold hold;
    private @Nullable Hold leaving;
    private int handOffs;
    private long heldSince;
    private Sessions.@Nullable Waiting waiting;
    private @Nullable Entry waitingFor;
    private long waitingUntil;
    private boolean retired;

    Gate(Gates gates, LockKey key) {
        this.gates = gates;
        this.key = key;
    }

    LockKey key() {
        return key;
    }

    // ---- what requests do ----

    /** Queues the entry; null if this gate is no longer in use. */
    @Nullable
    Action enter(Entry entry) {
        lock.lock();
        try {
            if (retired) {
                return null;
            }
            if (gates.isClosed()) {
                entry.end(Entry.State.CLOSED);
                return Action.NOTHING;
            }
            queue.add(entry);
            Action action = advance();
            if (!entry.isPatient() && entry.state() == Entry.State.QUEUED && talk != Talk.TRYING) {
                queue.remove(entry);
                entry.end(Entry.State.MISSED);
            }
            return action;
        } finally {
            lock.unlock();
        }
    }

    /**
     * Queues the entry if nothing is held and nobody is here, and starts the conversation that the caller then has.
     *
     * @return whether it did
     */
    boolean claim(Entry entry) {
        lock.lock();
        try {
            if (retired || gates.isClosed() || hold != null || talk != Talk.NONE || !queue.isEmpty()) {
                return false;
            }
            queue.add(entry);
            talk = Talk.TRYING;
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Ends the conversation that {@link #claim} started, with nothing held. */
    Action unclaim(Entry entry) {
        lock.lock();
        try {
            queue.remove(entry);
            entry.end(Entry.State.WITHDRAWN);
            talk = Talk.NONE;
            return advance();
        } finally {
            lock.unlock();
        }
    }

    /** Takes the entry out, unless it has been granted or has ended; one atomic decision. */
    boolean withdraw(Entry entry) {
        Sessions.Waiting needless = null;
        Action action = Action.NOTHING;
        boolean withdrawn;
        lock.lock();
        try {
            withdrawn = entry.state() == Entry.State.QUEUED;
            if (withdrawn) {
                queue.remove(entry);
                entry.end(Entry.State.WITHDRAWN);
                if (queue.isEmpty() && waitingUntil - System.nanoTime() > TimeUnit.MILLISECONDS.toNanos(50)) {
                    needless = waiting;
                }
                if (hold != null) {
                    // Readers may have stood behind a writer that is gone now.
                    action = advance();
                }
            }
        } finally {
            lock.unlock();
        }
        if (needless != null) {
            gates.cancel(needless);
        }
        gates.carryOut(this, action);
        return withdrawn;
    }

    /** Whether PostgreSQL is being asked for this entry, so that its answer may still come. */
    boolean isAskingFor(Entry entry) {
        lock.lock();
        try {
            return queue.peek() == entry && (talk == Talk.TRYING || waitingFor == entry);
        } finally {
            lock.unlock();
        }
    }

    /** A holder leaves. */
    Action leave(Entry entry) {
        lock.lock();
        try {
            // If it is not there, the lock was lost, and the gate has forgotten it.
            return holders.remove(entry) ? advance() : Action.NOTHING;
        } finally {
            lock.unlock();
        }
    }

    // ---- what PostgreSQL said ----

    /** The lock is held now. */
    Action answered(Hold held) {
        lock.lock();
        try {
            endTalk();
            hold = held;
            handOffs = 0;
            heldSince = System.nanoTime();
            Action action = advance();
            if (talk == Talk.NONE) {
                // They stayed for this answer.
                dismiss(entry -> !entry.isPatient());
            }
            return action;
        } finally {
            lock.unlock();
        }
    }

    /** Somebody else holds the lock: those that do not wait go, and the head waits. */
    Action missed() {
        lock.lock();
        try {
            endTalk();
            dismiss(entry -> !entry.isPatient() || entry.hasExpired());
            if (queue.isEmpty()) {
                return advance();
            }
            talk = Talk.WAITING;
            return Action.WAIT;
        } finally {
            lock.unlock();
        }
    }

    /** The conversation failed: so does the head. */
    Action failed(Exception cause) {
        lock.lock();
        try {
            endTalk();
            Entry head = queue.poll();
            if (head != null) {
                head.end(Entry.State.FAILED, cause);
            }
            return advance();
        } finally {
            lock.unlock();
        }
    }

    /** The lock is freed, or a wait has ended without it. */
    Action free() {
        lock.lock();
        try {
            endTalk();
            dismiss(Entry::hasExpired);
            return advance();
        } finally {
            lock.unlock();
        }
    }

    /** The session that held the lock has ended. */
    Action lost(Hold held) {
        lock.lock();
        try {
            return hold == held ? advance() : Action.NOTHING;
        } finally {
            lock.unlock();
        }
    }

    // ---- waiting in PostgreSQL ----

    /** For whom to wait, or null where nobody waits any more and the conversation has ended. */
    @Nullable
    Entry head() {
        lock.lock();
        try {
            return queue.peek();
        } finally {
            lock.unlock();
        }
    }

    /** Starts a wait for the head; false if it is no longer the head. */
    boolean waitsFor(Entry head, Sessions.Waiting session, long until) {
        lock.lock();
        try {
            if (queue.peek() != head) {
                return false;
            }
            waiting = session;
            waitingFor = head;
            waitingUntil = until;
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Everybody who is queued is told that the locker is closed. */
    void close() {
        Sessions.Waiting needless;
        lock.lock();
        try {
            queue.forEach(entry -> entry.end(Entry.State.CLOSED));
            queue.clear();
            needless = waiting;
        } finally {
            lock.unlock();
        }
        if (needless != null) {
            gates.cancel(needless);
        }
    }

    // ---- decisions; under the lock ----

    private void dismiss(Predicate<Entry> which) {
        queue.removeIf(entry -> {
            boolean dismissed = which.test(entry);
            if (dismissed) {
                entry.end(Entry.State.MISSED);
            }
            return dismissed;
        });
    }

    private void endTalk() {
        Entry head = queue.peek();
        if (head != null) {
            head.asked();
        }
        talk = Talk.NONE;
        waiting = null;
        waitingFor = null;
        leaving = null;
    }

    /** Grants what can be granted, and says what is to be done next. */
    private Action advance() {
        dropIfLost();
        if (talk != Talk.NONE) {
            return Action.NOTHING;
        }
        Hold held = hold;
        if (held == null) {
            return askOrRetire();
        }
        grant(held);
        if (!holders.isEmpty()) {
            return Action.NOTHING;
        }
        hold = null;
        leaving = held;
        talk = Talk.TRYING;
        return queue.isEmpty() ? Action.FREE : Action.FREE_AND_ASK;
    }

    /** A lock that is lost is handed to nobody. */
    private void dropIfLost() {
        Exception loss = hold == null ? null : hold.loss();
        if (loss != null) {
            holders.forEach(entry -> entry.end(Entry.State.LOST, loss));
            holders.clear();
            hold = null;
        }
    }

    private Action askOrRetire() {
        if (!queue.isEmpty()) {
            talk = Talk.TRYING;
            return Action.ASK;
        }
        retired = true;
        gates.forget(this);
        return Action.NOTHING;
    }

    private void grant(Hold held) {
        for (Entry next = queue.peek(); next != null && mayHave(next, held); next = queue.peek()) {
            queue.remove();
            holders.add(next);
            handOffs++;
            next.grant(held);
        }
    }

    private boolean mayHave(Entry next, Hold held) {
        if (next.mode() != held.mode()) {
            return false;
        }
        if (!holders.isEmpty()) {
            return held.mode() == LockMode.SHARED;
        }
        // The first one is whom the lock was taken for.
        return handOffs == 0 || (handOffs < MAX_HAND_OFFS && System.nanoTime() - heldSince < MAX_HAND_OFF_NANOS);
    }

    /** What is to be freed by {@link Action#FREE} and {@link Action#FREE_AND_ASK}. */
    Hold leaving() {
        lock.lock();
        try {
            if (leaving == null) {
                throw new IllegalStateException("nothing is to be freed for " + key);
            }
            return leaving;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public String toString() {
        return key + ": " + holders.size() + " holding, " + queue.size() + " queued, " + talk;
    }
}
