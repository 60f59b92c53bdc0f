package dev.pals.internal.gate;

import dev.pals.internal.session.Deadline;
import dev.pals.internal.session.Hold;
import dev.pals.key.LockKey;
import dev.pals.lock.LockMode;
import dev.pals.lock.LockUse;
import dev.pals.lock.LockerClosedException;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;

/**
 * One request on its way through the gates of its keys, in ascending order, until it holds all locks or none.
 *
 * <p>{@link #go} goes as far as it can without waiting, so that the caller may be a thread that sleeps until it is
 * woken, or one that comes back when it is. One thread at a time.
 */
final class Passage {
    private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(2);

    enum Progress {
        GRANTED,
        MISSED,
        /** To be asked again when the caller is woken, or after {@link #nanosToWait}. */
        WAITING
    }

    private final Gates gates;
    private final List<LockKey> keys;
    private final LockMode mode;
    private final Deadline deadline;
    private final long retryDelayNanos;
    private final boolean patient;
    private final Origin origin;
    private final Entry.Caller caller;
    private final Gate[] passed;
    private final Entry[] entries;
    /** How many of them are granted. */
    private int granted;
    /** The next one is queued at its gate. */
    private boolean queued;
    /** What its gate has decided then, until it is carried out. */
    private Gate.Action decided = Gate.Action.NOTHING;
    /** Of how many gates it has the conversation, and has not asked yet. */
    private int claimed;

    private boolean started;
    private boolean waited;
    private boolean pausing;
    private long pausedUntil;
    /** Over all takes. */
    private int attempts;
    /** In this take: for all keys together, and at the most for any of them. */
    private int tries;

    private int asked;

    /**
     * Makes one that has not begun.
     *
     * @param patient whether it queues; otherwise it misses where a lock is not free
     * @param retryDelayNanos how long it pauses before it tries again what it has missed; 0 if it does not
     */
    Passage(
            Gates gates,
            List<LockKey> keys,
            LockMode mode,
            Deadline deadline,
            boolean patient,
            long retryDelayNanos,
            Origin origin,
            Entry.Caller caller) {
        this.gates = gates;
        this.keys = keys;
        this.mode = mode;
        this.deadline = deadline;
        this.patient = patient;
        this.retryDelayNanos = retryDelayNanos;
        this.origin = origin;
        this.caller = caller;
        this.passed = new Gate[keys.size()];
        this.entries = new Entry[keys.size()];
    }

    List<LockKey> keys() {
        return keys;
    }

    LockMode mode() {
        return mode;
    }

    Origin origin() {
        return origin;
    }

    /** While it pauses, no gate knows of it. */
    LockUse waitingFor(LockKey key) {
        return new LockUse(
                key,
                mode,
                false,
                origin.thread(),
                origin.takenAt().toString(),
                deadline.elapsed(),
                OptionalInt.empty());
    }

    Deadline deadline() {
        return deadline;
    }

    Gate[] passed() {
        return passed;
    }

    Entry[] entries() {
        return entries;
    }

    int attempts() {
        return Math.max(1, attempts);
    }

    /** Whether it was not granted at once. */
    boolean hasWaited() {
        return waited;
    }

    /**
     * Goes on.
     *
     * @throws RuntimeException what has happened to it; nothing is held then
     */
    Progress go() {
        if (pausing && !resume()) {
            return Progress.WAITING;
        }
        Progress progress = Progress.MISSED;
        boolean ended = false;
        try {
            progress = goOn();
            ended = true;
        } finally {
            if (progress == Progress.MISSED) {
                giveUp();
            }
        }
        if (progress == Progress.GRANTED) {
            attempts += Math.max(1, asked);
        } else if (progress == Progress.MISSED && ended && retryDelayNanos > 0 && !deadline.hasPassed()) {
            pause();
            return Progress.WAITING;
        }
        return progress;
    }

    /** Takes its place in the queue, without input or output; {@link #go} does so where it was not done before. */
    void begin() {
        started = true;
        if (keys.size() > 1) {
            claimIdleOnes();
        }
        if (claimed == 0) {
            queue();
        }
    }

    private void queue() {
        LockKey key = keys.get(granted);
        Entry entry = entry();
        Gate.Action action = null;
        while (action == null) {
            passed[granted] = gates.gate(key);
            action = passed[granted].enter(entry);
        }
        entries[granted] = entry;
        queued = true;
        decided = action;
    }

    private void carryOut() {
        Gate.Action action = decided;
        decided = Gate.Action.NOTHING;
        gates.carryOut(passed[granted], action);
    }

    private Progress goOn() {
        checkNoneIsLost();
        if (!started) {
            begin();
        }
        if (claimed > 0) {
            takeClaimed();
        }
        while (granted < keys.size()) {
            if (!queued) {
                queue();
            }
            carryOut();
            Progress progress = lookAt(passed[granted], entries[granted]);
            if (progress != Progress.GRANTED) {
                return progress;
            }
            pass();
        }
        checkNoneIsLost();
        return Progress.GRANTED;
    }

    /** While it waited for the rest, the session of one that was granted may have ended. */
    private void checkNoneIsLost() {
        for (int i = 0; i < granted; i++) {
            if (entries[i].state() == Entry.State.LOST) {
                throw gates.problem(keys, entries[i].failure(), deadline.elapsed());
            }
        }
    }

    private Entry entry() {
        return new Entry(caller, origin, mode, patient, deadline.nanos());
    }

    private void pass() {
        asked = Math.max(asked, tries + entries[granted].attempts());
        queued = false;
        granted++;
    }

    /** What has become of the entry, or an exception of it. */
    private Progress lookAt(Gate gate, Entry entry) {
        if (entry.state() == Entry.State.QUEUED && isOverdue(gate, entry)) {
            gate.withdraw(entry);
        }
        return switch (entry.state()) {
            case GRANTED -> Progress.GRANTED;
            case QUEUED -> {
                waited = true;
                yield Progress.WAITING;
            }
            case MISSED, WITHDRAWN -> Progress.MISSED;
            case CLOSED -> throw new LockerClosedException(gates.sessions().name());
            case FAILED, LOST -> throw gates.problem(keys, entry.failure(), deadline.elapsed());
        };
    }

    /** PostgreSQL's own timeout is due as well, and what it then says is the truth; but not for ever. */
    private boolean isOverdue(Gate gate, Entry entry) {
        return patient && deadline.hasPassed() && (graceNanos(entry) <= 0 || !gate.isAskingFor(entry));
    }

    private static long graceNanos(Entry entry) {
        return entry.deadlineNanos() + GRACE_NANOS - System.nanoTime();
    }

    /** When to look again, if the caller is not woken before; {@link Long#MAX_VALUE} for no need to. */
    long nanosToWait() {
        if (pausing) {
            return Math.max(1, pausedUntil - System.nanoTime());
        }
        if (!patient || deadline.isForever()) {
            return Long.MAX_VALUE;
        }
        long remaining = deadline.remainingNanos();
        return Math.max(1, remaining > 0 ? remaining : graceNanos(entries[granted]));
    }

    /** Ends it, from the thread that goes: nothing is held or queued afterwards. */
    void giveUp() {
        unclaim(0, claimed);
        claimed = 0;
        if (queued) {
            boolean withdrawn = passed[granted].withdraw(entries[granted]);
            // Others may stand behind it.
            carryOut();
            if (!withdrawn && entries[granted].state() == Entry.State.GRANTED) {
                // Both happened.
                pass();
            } else {
                asked = Math.max(asked, tries + entries[granted].attempts());
            }
        }
        attempts += Math.max(1, asked);
        gates.leave(passed, entries, granted);
        Arrays.fill(passed, null);
        Arrays.fill(entries, null);
        granted = 0;
        queued = false;
        started = false;
        asked = 0;
        tries = 0;
        if (pausing) {
            pausing = false;
            gates.resumed(this);
        }
    }

    // ---- trying again ----

    private void pause() {
        waited = true;
        pausing = true;
        pausedUntil = System.nanoTime() + Math.min(retryDelayNanos, deadline.remainingNanos());
        gates.pausing(this);
    }

    private boolean resume() {
        if (pausedUntil - System.nanoTime() > 0 && !gates.isClosed()) {
            return false;
        }
        pausing = false;
        gates.resumed(this);
        gates.sessions().checkOpen();
        return true;
    }

    void wake() {
        caller.wake();
    }

    // ---- all that are idle, in one round trip ----

    private void claimIdleOnes() {
        while (claimed < keys.size()) {
            Entry entry = entry();
            Gate gate = gates.claim(keys.get(claimed), entry);
            if (gate == null) {
                break;
            }
            passed[claimed] = gate;
            entries[claimed] = entry;
            claimed++;
        }
    }

    private void takeClaimed() {
        int count = claimed;
        claimed = 0;
        Hold[] holds = new Hold[count];
        Arrays.setAll(holds, i -> gates.wanted(passed[i], mode));
        int taken = -1;
        try {
            taken = gates.sessions().takeInOrder(List.of(holds));
        } catch (SQLException | RuntimeException e) {
            throw gates.problem(keys, e, deadline.elapsed());
        } finally {
            if (taken < 0) {
                unclaim(0, count);
            }
        }
        tries = 1;
        asked = 1;
        int settled = 0;
        try {
            while (settled < taken && granted == settled) {
                int i = settled;
                settled++;
                gates.carryOut(passed[i], passed[i].answered(holds[i]));
                if (entries[i].state() == Entry.State.GRANTED) {
                    granted++;
                }
            }
        } finally {
            if (settled < taken) {
                gates.sessions().free(Arrays.asList(holds).subList(settled, taken));
            }
            unclaim(settled, count);
            // It was there, but its session has ended since: those behind must not be kept while it waits.
            queued = granted < settled;
        }
    }

    private void unclaim(int from, int to) {
        for (int i = from; i < to; i++) {
            gates.carryOut(passed[i], passed[i].unclaim(entries[i]));
        }
    }
}
