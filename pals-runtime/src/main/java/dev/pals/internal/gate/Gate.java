package dev.pals.internal.gate;

import dev.pals.internal.session.Hold;
import dev.pals.internal.session.Sessions;
import dev.pals.key.LockKey;
import dev.pals.lock.LockMode;
import dev.pals.lock.LockUse;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The queue of this JVM in front of one key.
 *
 * <p>First come, first served; only the head talks to PostgreSQL. When a holder leaves, the lock is handed to the next
 * in the queue without a round trip, since for PostgreSQL the same session goes on holding it. That is bounded by count
 * and by time: then the lock is really freed, so that whoever waits for it in another JVM has it next. Shared holders
 * share one lock of PostgreSQL's, and are counted; a shared request does not pass an exclusive one that came before it.
 * Where shared holders overlap, the lock would never be free: so from time to time one that comes looks whether anybody
 * waits for the lock in PostgreSQL, and if so, nobody joins for as long as that is so.
 *
 * <p>The gate itself does no input or output. Each step is decided under its lock and returned as an {@link Action},
 * which the thread at hand carries out after the lock is released; its outcome is the next step. At any time at most
 * one conversation with PostgreSQL is under way for a gate. Giving up and being granted are decided under the same
 * lock, so an entry is never handed a lock after it has left. Whose entry has ended is told after the lock is released:
 * to wake a thread takes longer than any decision.
 */
final class Gate {
    /** Measured with two JVMs: more hand-offs in a row gain nothing. */
    static final int MAX_HAND_OFFS = 64;

    static final long MAX_HAND_OFF_NANOS = TimeUnit.MILLISECONDS.toNanos(20);
    /** How long shared holders join each other before one looks whether an exclusive one waits elsewhere. */
    static final long MAX_JOIN_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    /** Who has missed the lock, tries again after this part of the time for which others have had it. */
    private static final int RETRY_DELAY_DIVISOR = 8;

    private static final long LEAST_RETRY_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long LONGEST_RETRY_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /** More than {@link #MAX_HAND_OFF_NANOS}: who waits in PostgreSQL's queue has had the lock by then. */
    private static final long LEAST_WITHOUT_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
    /** The longest pause costs a fortieth of that. */
    private static final long LONGEST_WITHOUT_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(2);

    /** For so short a time as the lock is held, trying again comes before sleeping. */
    private static final int SPINS = 100;

    /** What to do next, outside of the gate's lock. */
    enum Action {
        NOTHING,
        /** Try to take the lock, for the head. */
        ASK,
        /** Free the lock. */
        FREE,
        /** Free the lock, and try to take it again for the head, behind those that wait in PostgreSQL's queue. */
        FREE_AND_ASK,
        /** Free the lock, and leave it alone for a while, so that those can have it who only try. */
        FREE_AND_PAUSE,
        /** Wait for the lock, for the head. */
        WAIT,
        /** Look whether anybody waits for the lock. */
        LOOK
    }

    /** What a gate needs of its surroundings. */
    interface Surroundings {
        boolean isClosed();

        /** Nobody needs the gate any more. */
        void forget(Gate gate);

        /** Ends a wait that nobody needs any more. */
        void cancel(Sessions.Waiting waiting);

        /** Carries out what was decided. */
        void carryOut(Gate gate, Action action);
    }

    private enum Talk {
        NONE,
        /** For one round trip, so even those that do not wait may stay. */
        TRYING,
        WAITING
    }

    private final Surroundings surroundings;
    private final LockKey key;
    private final ReentrantLock lock = new ReentrantLock();
    private final Deque<Entry> queue = new ArrayDeque<>(4);
    private final List<Entry> holders = new ArrayList<>(1);
    private Talk talk = Talk.NONE;
    private @Nullable Hold hold;
    private @Nullable Hold leaving;
    /** How many entries this hold was granted to. */
    private int grants;

    private long heldSince;
    /** Whether it was missed, and not held since. */
    private boolean missing;

    private long missingSince;
    /** Since when, but for pauses, no other program could have it. */
    private long oursSince = System.nanoTime();

    private long pausedAt = oursSince;
    private long pauseAfterNanos = LONGEST_WITHOUT_PAUSE_NANOS;
    private long lookedAt;
    private boolean mayJoin;
    private Sessions.@Nullable Waiting waiting;
    private @Nullable Entry asking;
    private long waitingUntil;
    private boolean retired;
    /** Mostly there is one to be told, so for more of them only there is a list. */
    private @Nullable Entry untold;

    private @Nullable List<Entry> moreUntold;

    Gate(Surroundings surroundings, LockKey key) {
        this.surroundings = surroundings;
        this.key = key;
    }

    LockKey key() {
        return key;
    }

    // ---- what requests do ----

    /** Queues the entry; null if this gate is no longer in use. */
    @Nullable
    Action enter(Entry entry) {
        lock();
        try {
            if (retired) {
                return null;
            }
            if (surroundings.isClosed()) {
                end(entry, Entry.State.CLOSED, null);
                return Action.NOTHING;
            }
            queue.add(entry);
            Action action = advance();
            if (!entry.isPatient() && entry.state() == Entry.State.QUEUED && talk != Talk.TRYING) {
                queue.remove(entry);
                end(entry, Entry.State.MISSED, null);
            }
            return action;
        } finally {
            unlock();
        }
    }

    /**
     * Queues the entry if nothing is held and nobody is here, and starts the conversation that the caller then has.
     *
     * @return whether it did
     */
    boolean claim(Entry entry) {
        lock();
        try {
            if (retired || surroundings.isClosed() || hold != null || talk != Talk.NONE || !queue.isEmpty()) {
                return false;
            }
            queue.add(entry);
            asking = entry;
            talk = Talk.TRYING;
            return true;
        } finally {
            unlock();
        }
    }

    /** Ends the conversation that {@link #claim} started, with nothing held. */
    Action unclaim(Entry entry) {
        lock();
        try {
            queue.remove(entry);
            end(entry, Entry.State.WITHDRAWN, null);
            endTalk();
            return advance();
        } finally {
            unlock();
        }
    }

    /** Takes the entry out, unless it has been granted or has ended; one atomic decision. */
    boolean withdraw(Entry entry) {
        Sessions.Waiting needless = null;
        Action action = Action.NOTHING;
        boolean withdrawn;
        lock();
        try {
            withdrawn = entry.state() == Entry.State.QUEUED;
            if (withdrawn) {
                queue.remove(entry);
                end(entry, Entry.State.WITHDRAWN, null);
                if (isNeedless() && waitingUntil - System.nanoTime() > TimeUnit.MILLISECONDS.toNanos(50)) {
                    needless = waiting;
                }
                if (hold != null) {
                    // Readers may have stood behind a writer that is gone now.
                    action = advance();
                }
            }
        } finally {
            unlock();
        }
        if (needless != null) {
            surroundings.cancel(needless);
        }
        surroundings.carryOut(this, action);
        return withdrawn;
    }

    /** Whether PostgreSQL is being asked for this entry, so that its answer may still come. */
    boolean isAskingFor(Entry entry) {
        lock();
        try {
            return queue.peek() == entry && (talk == Talk.TRYING || asking == entry);
        } finally {
            unlock();
        }
    }

    /** A holder leaves. */
    Action leave(Entry entry) {
        lock();
        try {
            // If it is not there, the lock was lost, and the gate has forgotten it.
            return holders.remove(entry) ? advance() : Action.NOTHING;
        } finally {
            unlock();
        }
    }

    // ---- what PostgreSQL said ----

    /** The lock is held now. */
    Action answered(Hold held) {
        lock();
        try {
            endTalk();
            hold = held;
            grants = 0;
            heldSince = System.nanoTime();
            if (missing) {
                // Others want it, and may be about to try again.
                missing = false;
                oursSince = heldSince;
                pausedAt = heldSince;
                pauseAfterNanos = LEAST_WITHOUT_PAUSE_NANOS;
            }
            lookedAt = heldSince;
            mayJoin = true;
            return settled(advance());
        } finally {
            unlock();
        }
    }

    /**
     * Somebody else holds the lock: those that do not wait go, and the head waits. Where an exclusive lock was asked
     * for, that says nothing of shared ones yet.
     */
    Action missed() {
        lock();
        try {
            LockMode asked = asking == null ? LockMode.SHARED : asking.mode();
            endTalk();
            if (!missing) {
                missing = true;
                missingSince = System.nanoTime();
            }
            dismiss(entry -> entry.hasExpired()
                    || (!entry.isPatient() && (asked == LockMode.SHARED || entry.mode() == LockMode.EXCLUSIVE)));
            Entry head = queue.peek();
            if (head == null || !head.isPatient()) {
                return advance();
            }
            dismiss(entry -> !entry.isPatient());
            talk = Talk.WAITING;
            return Action.WAIT;
        } finally {
            unlock();
        }
    }

    /** The conversation failed: so does the entry for which it was. */
    Action failed(Exception cause) {
        lock();
        try {
            Entry failed = asking != null ? asking : queue.peek();
            endTalk();
            // Whoever has withdrawn meanwhile takes nobody along.
            if (failed != null && queue.remove(failed)) {
                end(failed, Entry.State.FAILED, cause);
            }
            return advance();
        } finally {
            unlock();
        }
    }

    /** The lock is freed, or a wait has ended without it. */
    Action free() {
        lock();
        try {
            endTalk();
            dismiss(Entry::hasExpired);
            return advance();
        } finally {
            unlock();
        }
    }

    /** Whether anybody waits for the lock in PostgreSQL. */
    Action looked(boolean waitedFor) {
        lock();
        try {
            endTalk();
            lookedAt = System.nanoTime();
            mayJoin = !waitedFor;
            return settled(advance());
        } finally {
            unlock();
        }
    }

    /** Who waits for the lock in PostgreSQL may have gone since. */
    Action lookAgain() {
        lock();
        try {
            return advance();
        } finally {
            unlock();
        }
    }

    /** The session that held the lock has ended. */
    Action lost(Hold held) {
        lock();
        try {
            return hold == held ? advance() : Action.NOTHING;
        } finally {
            unlock();
        }
    }

    // ---- waiting in PostgreSQL ----

    /** For whom PostgreSQL is asked now, or null where nobody waits any more. */
    @Nullable
    Entry askForHead() {
        lock();
        try {
            asking = queue.peek();
            return asking;
        } finally {
            unlock();
        }
    }

    /** Says in which wait the head is waited for; false if it is no longer the head. */
    boolean waitsFor(Entry head, Sessions.Waiting session, long until) {
        lock();
        try {
            if (queue.peek() != head) {
                return false;
            }
            waiting = session;
            waitingUntil = until;
            return true;
        } finally {
            unlock();
        }
    }

    /** After how long at the latest to try again, where it is not waited for in PostgreSQL's queue. */
    long retryDelayNanos() {
        lock();
        try {
            return retryDelayNanos(System.nanoTime() - missingSince);
        } finally {
            unlock();
        }
    }

    /**
     * The lock is freed, and stays so for a while, as long as others need until they try again.
     *
     * @return for how long; then {@link #free} is to be told
     */
    long pause() {
        lock();
        try {
            endTalk();
            talk = Talk.WAITING;
            dismiss(entry -> !entry.isPatient());
            pausedAt = System.nanoTime();
            pauseAfterNanos = Math.min(2 * pauseAfterNanos, LONGEST_WITHOUT_PAUSE_NANOS);
            return retryDelayNanos(pausedAt - oursSince);
        } finally {
            unlock();
        }
    }

    private boolean isTimeToPause() {
        return System.nanoTime() - pausedAt >= pauseAfterNanos;
    }

    private static long retryDelayNanos(long since) {
        return Math.max(LEAST_RETRY_DELAY_NANOS, Math.min(since / RETRY_DELAY_DIVISOR, LONGEST_RETRY_DELAY_NANOS));
    }

    /** Everybody who is queued is told that the locker is closed. */
    void close() {
        Sessions.Waiting needless;
        lock();
        try {
            queue.forEach(entry -> end(entry, Entry.State.CLOSED, null));
            queue.clear();
            needless = waiting;
        } finally {
            unlock();
        }
        if (needless != null) {
            surroundings.cancel(needless);
        }
    }

    // ---- the lock ----

    private void lock() {
        for (int i = 0; i < SPINS; i++) {
            if (lock.tryLock()) {
                return;
            }
            Thread.onSpinWait();
        }
        lock.lock();
    }

    private void unlock() {
        Entry told = untold;
        List<Entry> more = moreUntold;
        untold = null;
        moreUntold = null;
        lock.unlock();
        if (told != null) {
            told.tell();
        }
        if (more != null) {
            more.forEach(Entry::tell);
        }
    }

    private void tellLater(Entry entry) {
        if (untold == null) {
            untold = entry;
            return;
        }
        if (moreUntold == null) {
            moreUntold = new ArrayList<>();
        }
        moreUntold.add(entry);
    }

    // ---- decisions; under the lock ----

    private void end(Entry entry, Entry.State state, @Nullable Exception cause) {
        entry.end(state, cause);
        tellLater(entry);
    }

    /** Whether nobody wants what PostgreSQL is waiting for: nobody is there, or the next one wants the other mode. */
    private boolean isNeedless() {
        Entry next = queue.peek();
        return next == null || (asking != null && next.mode() != asking.mode());
    }

    private void dismiss(Predicate<Entry> which) {
        queue.removeIf(entry -> {
            boolean dismissed = which.test(entry);
            if (dismissed) {
                end(entry, Entry.State.MISSED, null);
            }
            return dismissed;
        });
    }

    private void endTalk() {
        if (asking != null) {
            asking.asked();
        }
        talk = Talk.NONE;
        waiting = null;
        asking = null;
        leaving = null;
    }

    /** Those that do not wait have stayed for this answer; one that misses is not in the way of those behind it. */
    private Action settled(Action action) {
        Action next = action;
        for (Entry head = queue.peek(); talk != Talk.TRYING && head != null && !head.isPatient(); head = queue.peek()) {
            queue.remove();
            end(head, Entry.State.MISSED, null);
            next = advance();
        }
        if (talk != Talk.TRYING) {
            dismiss(entry -> !entry.isPatient());
        }
        return next;
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
            return isWantedBy(queue.peek(), held) && (mayJoin || isTimeToLook()) ? look() : Action.NOTHING;
        }
        hold = null;
        leaving = held;
        talk = Talk.TRYING;
        Entry next = queue.peek();
        if (next == null) {
            return Action.FREE;
        }
        return next.isPatient() && isTimeToPause() ? Action.FREE_AND_PAUSE : Action.FREE_AND_ASK;
    }

    /** A lock that is lost is handed to nobody. */
    private void dropIfLost() {
        Exception loss = hold == null ? null : hold.loss();
        if (loss != null) {
            holders.forEach(entry -> end(entry, Entry.State.LOST, loss));
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
        surroundings.forget(this);
        return Action.NOTHING;
    }

    private Action look() {
        talk = Talk.TRYING;
        return Action.LOOK;
    }

    private void grant(Hold held) {
        for (Entry next = queue.peek(); next != null && mayHave(next, held); next = queue.peek()) {
            queue.remove();
            holders.add(next);
            next.grant(held, grants, heldSince);
            tellLater(next);
            grants++;
        }
    }

    private boolean mayHave(Entry next, Hold held) {
        if (next.mode() != held.mode()) {
            return false;
        }
        if (!holders.isEmpty()) {
            return isWantedBy(next, held) && mayJoin && !isTimeToLook();
        }
        // The first one is whom the lock was taken for.
        return grants == 0 || (grants < MAX_HAND_OFFS && System.nanoTime() - heldSince < MAX_HAND_OFF_NANOS);
    }

    private boolean isTimeToLook() {
        return System.nanoTime() - lookedAt >= MAX_JOIN_NANOS;
    }

    private static boolean isWantedBy(@Nullable Entry next, Hold held) {
        return next != null && next.mode() == LockMode.SHARED && held.mode() == LockMode.SHARED;
    }

    /** Who has the lock and who waits for it, in this order. */
    List<LockUse> uses() {
        lock();
        try {
            return Stream.concat(holders.stream(), queue.stream())
                    .map(entry -> entry.use(key))
                    .toList();
        } finally {
            unlock();
        }
    }

    /** What is to be freed by {@link Action#FREE} and {@link Action#FREE_AND_ASK}. */
    Hold leaving() {
        lock();
        try {
            if (leaving == null) {
                throw new IllegalStateException("nothing is to be freed for " + key);
            }
            return leaving;
        } finally {
            unlock();
        }
    }

    @Override
    public String toString() {
        return key + ": " + holders.size() + " holding, " + queue.size() + " queued, " + talk;
    }
}
