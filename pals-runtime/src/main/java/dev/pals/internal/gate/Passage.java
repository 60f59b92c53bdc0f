package dev.pals.internal.gate;

import dev.pals.internal.gate.Gates.Outcome;
import dev.pals.internal.session.Deadline;
import dev.pals.internal.session.Hold;
import dev.pals.key.LockKey;
import dev.pals.lock.LockMode;
import dev.pals.lock.LockerClosedException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** One request on its way through the gates of its keys. Used by one thread, until it holds all locks or none. */
final class Passage {
    private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final Gates gates;
    private final List<LockKey> keys;
    private final LockMode mode;
    private final List<Gate> passed = new ArrayList<>();
    private final List<Entry> entries = new ArrayList<>();
    /** Over all takes. */
    private int attempts;
    /** In this take: for all keys together, and at the most for any of them. */
    private int tries;

    private int asked;

    Passage(Gates gates, List<LockKey> keys, LockMode mode) {
        this.gates = gates;
        this.keys = keys;
        this.mode = mode;
    }

    List<LockKey> keys() {
        return keys;
    }

    Outcome outcome(boolean granted, Duration waited) {
        int asked = Math.max(1, attempts);
        if (!granted) {
            return new Outcome(null, asked, waited);
        }
        return new Outcome(new HeldLock(gates, keys, mode, passed, entries, asked, waited), asked, waited);
    }

    /** Takes all locks, or none; returns which. */
    boolean take(boolean patient, Deadline deadline) {
        boolean granted = false;
        asked = 0;
        tries = 0;
        try {
            if (keys.size() > 1) {
                takeIdleOnes(patient, deadline);
            }
            granted = takeRest(patient, deadline);
            return granted;
        } finally {
            attempts += Math.max(1, asked);
            if (!granted) {
                gates.leave(passed, entries);
                passed.clear();
                entries.clear();
            }
        }
    }

    // ---- one by one ----

    private boolean takeRest(boolean patient, Deadline deadline) {
        while (passed.size() < keys.size()) {
            Entry entry = entry(patient, deadline);
            Gate gate = gates.enter(keys.get(passed.size()), entry);
            if (!awaited(gate, entry, deadline)) {
                asked = Math.max(asked, tries + entry.attempts());
                return false;
            }
            asked = Math.max(asked, tries + entry.attempts());
            passed.add(gate);
            entries.add(entry);
        }
        return true;
    }

    private Entry entry(boolean patient, Deadline deadline) {
        return new Entry(mode, patient, deadline.nanos());
    }

    /** Returns whether the entry is granted, or throws what happened to it. */
    private boolean awaited(Gate gate, Entry entry, Deadline deadline) {
        while (entry.state() == Entry.State.QUEUED) {
            long remaining = entry.isPatient() ? deadline.remainingNanos() : Long.MAX_VALUE;
            if (remaining <= 0) {
                // PostgreSQL's own timeout is due as well, and what it then says is the truth; but not for ever.
                remaining = entry.deadlineNanos() + GRACE_NANOS - System.nanoTime();
                if ((remaining <= 0 || !gate.isAskingFor(entry)) && gate.withdraw(entry)) {
                    return false;
                }
            }
            if (Thread.interrupted()) {
                withdrawInterrupted(gate, entry);
            }
            if (entry.state() == Entry.State.QUEUED) {
                Gates.park(gate, remaining);
            }
        }
        return switch (entry.state()) {
            case GRANTED -> true;
            case MISSED, WITHDRAWN -> false;
            case CLOSED -> throw new LockerClosedException(gates.sessions().name());
            case FAILED, LOST -> throw gates.problem(keys, entry.failure(), deadline.elapsed());
            case QUEUED -> throw new IllegalStateException("still queued at " + gate);
        };
    }

    private void withdrawInterrupted(Gate gate, Entry entry) {
        if (!gate.withdraw(entry) && entry.state() == Entry.State.GRANTED) {
            // Both happened: the interrupt wins, since the caller wants to stop.
            passed.add(gate);
            entries.add(entry);
        }
        throw Gates.interrupted(keys);
    }

    // ---- all that are idle, in one round trip ----

    private void takeIdleOnes(boolean patient, Deadline deadline) {
        List<Gate> claimed = new ArrayList<>();
        List<Entry> claims = new ArrayList<>();
        for (LockKey key : keys) {
            Entry entry = entry(patient, deadline);
            Gate gate = gates.claim(key, entry);
            if (gate == null) {
                break;
            }
            claimed.add(gate);
            claims.add(entry);
        }
        if (!claimed.isEmpty()) {
            takeClaimed(claimed, claims, deadline);
        }
    }

    private void takeClaimed(List<Gate> claimed, List<Entry> claims, Deadline deadline) {
        List<Hold> holds =
                claimed.stream().map(gate -> gates.wanted(gate, mode)).toList();
        int first;
        try {
            first = gates.sessions().takeInOrder(holds);
        } catch (SQLException | RuntimeException e) {
            unclaim(claimed, claims, 0);
            throw gates.problem(keys, e, deadline.elapsed());
        }
        tries = 1;
        asked = 1;
        int next = 0;
        try {
            while (next < first) {
                int i = next;
                next++;
                Gate gate = claimed.get(i);
                gates.carryOut(gate, gate.answered(holds.get(i)));
                if (claims.get(i).state() != Entry.State.GRANTED) {
                    // It was there, but its session has ended since. Those behind must not be kept while this one
                    // waits.
                    unclaim(claimed, claims, next);
                    next = claims.size();
                    if (!awaited(gate, claims.get(i), deadline)) {
                        return;
                    }
                    first = i + 1;
                }
                passed.add(gate);
                entries.add(claims.get(i));
            }
        } finally {
            unclaim(claimed, claims, next);
        }
    }

    private void unclaim(List<Gate> claimed, List<Entry> claims, int from) {
        for (int i = from; i < claimed.size(); i++) {
            Gate gate = claimed.get(i);
            gates.carryOut(gate, gate.unclaim(claims.get(i)));
        }
    }
}
