package dev.pals.internal.gate;

import dev.pals.internal.gate.Gate.Action;
import dev.pals.internal.session.Deadline;
import dev.pals.internal.session.Hold;
import dev.pals.internal.session.Sessions;
import dev.pals.internal.session.Sessions.SessionInterruptedException;
import dev.pals.internal.session.Sessions.Waiting;
import dev.pals.key.LockKey;
import dev.pals.lock.LockDatabaseException;
import dev.pals.lock.LockException;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockInterruptedException;
import dev.pals.lock.LockMode;
import dev.pals.lock.LockerClosedException;
import dev.pals.lock.WaitPolicy;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Takes all locks of a request or none: through the gates of this JVM, ascending, and then from PostgreSQL.
 * Thread-safe.
 *
 * <p>Several keys whose gates are all idle are tried in one round trip. Where one is not free, those behind it are
 * given back, and the rest is taken one by one, ascending: a request that waits holds only locks below that for which
 * it waits, so requests do not deadlock, here or in PostgreSQL.
 */
public final class Gates implements AutoCloseable {
    /** One wait in PostgreSQL; a longer one is made of several, since others wait for the snapshot of each. */
    private static final long SLICE_NANOS = TimeUnit.SECONDS.toNanos(10);

    private static final long BACKOFF_MIN_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long BACKOFF_MAX_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final Sessions sessions;
    private final ConcurrentMap<LockKey, Gate> gates = new ConcurrentHashMap<>();

    public Gates(Sessions sessions) {
        this.sessions = sessions;
    }

    /** A handle, or null where the wait ran out; with the effort that it took. */
    public record Outcome(@Nullable LockHandle handle, int attempts, Duration waited) {}

    /**
     * Takes the locks.
     *
     * @param keys ascending and distinct
     * @throws LockException if it came to no decision; no lock is held then
     */
    public Outcome acquire(List<LockKey> keys, LockMode mode, WaitPolicy policy) {
        sessions.checkOpen();
        Deadline deadline = Deadline.start(policy, System::nanoTime);
        Passage passage = new Passage(this, keys, mode);
        if (policy.retryDelay().isPresent()) {
            return poll(passage, policy.retryDelay().orElseThrow(), deadline);
        }
        boolean patient = !deadline.hasPassed();
        if (patient && Thread.currentThread().isInterrupted()) {
            throw new LockInterruptedException(keys);
        }
        boolean granted = passage.take(patient, deadline);
        return passage.outcome(granted, deadline.elapsed());
    }

    private Outcome poll(Passage passage, Duration delay, Deadline deadline) {
        while (true) {
            if (passage.take(false, deadline)) {
                return passage.outcome(true, deadline.elapsed());
            }
            if (deadline.hasPassed()) {
                return passage.outcome(false, deadline.elapsed());
            }
            pause(passage, Math.min(TimeUnit.NANOSECONDS.convert(delay), deadline.remainingNanos()));
        }
    }

    private void pause(Passage passage, long nanos) {
        try {
            sessions.pause(nanos);
        } catch (InterruptedException e) {
            throw interrupted(passage.keys());
        }
    }

    static LockInterruptedException interrupted(List<LockKey> keys) {
        Thread.currentThread().interrupt();
        return new LockInterruptedException(keys);
    }

    Sessions sessions() {
        return sessions;
    }

    boolean isClosed() {
        return sessions.isClosed();
    }

    void forget(Gate gate) {
        gates.remove(gate.key(), gate);
    }

    void cancel(Waiting waiting) {
        sessions.threads().execute(waiting::cancel);
    }

    // ---- entering ----

    private Gate gate(LockKey key) {
        return gates.computeIfAbsent(key, missing -> new Gate(this, missing));
    }

    /** Queues the entry and does what is to be done for it. */
    Gate enter(LockKey key, Entry entry) {
        while (true) {
            Gate gate = gate(key);
            Action action = gate.enter(entry);
            if (action != null) {
                carryOut(gate, action);
                return gate;
            }
        }
    }

    /** Queues the entry if the gate is idle; the caller has the conversation then. */
    @Nullable
    Gate claim(LockKey key, Entry entry) {
        Gate gate = gate(key);
        return gate.claim(entry) ? gate : null;
    }

    // ---- conversations with PostgreSQL ----

    /**
     * Carries out what a gate has decided, and what it decides then. Whatever fails, the gate is told: otherwise it
     * would wait for this conversation for ever.
     */
    void carryOut(Gate gate, Action first) {
        Action action = first;
        while (action != Action.NOTHING) {
            try {
                action = step(gate, action);
            } catch (RuntimeException e) {
                action = gate.failed(e);
            } catch (Error e) {
                carryOut(gate, gate.failed(new IllegalStateException(e)));
                throw e;
            }
        }
    }

    private Action step(Gate gate, Action action) {
        return switch (action) {
            case ASK -> ask(gate);
            case FREE -> {
                sessions.free(List.of(gate.leaving()));
                yield gate.free();
            }
            case FREE_AND_ASK -> exchange(gate);
            case WAIT -> startToWait(gate);
            case NOTHING -> Action.NOTHING;
        };
    }

    /** A lock to be asked for; the gate is told if it is held and then lost. */
    Hold wanted(Gate gate, LockMode mode) {
        return new Hold(gate.key(), mode, lost -> {
            // Its holders are told at once; what is to be done for those who wait is done elsewhere.
            Action action = gate.lost(lost);
            if (action != Action.NOTHING && !isClosed()) {
                sessions.threads().execute(() -> carryOut(gate, action));
            }
        });
    }

    private Action ask(Gate gate) {
        Entry head = gate.head();
        if (head == null) {
            return gate.free();
        }
        // Another's request must not fail because this thread is interrupted.
        boolean interrupted = !head.isOfThisThread() && Thread.interrupted();
        try {
            Hold hold = wanted(gate, head.mode());
            return sessions.take(hold) ? gate.answered(hold) : gate.missed();
        } catch (SQLException e) {
            return gate.failed(e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private Action exchange(Gate gate) {
        Entry head = gate.head();
        Hold leaving = gate.leaving();
        if (head == null) {
            sessions.free(List.of(leaving));
            return gate.free();
        }
        try {
            Hold hold = wanted(gate, head.mode());
            return sessions.exchange(leaving, hold) ? gate.answered(hold) : gate.missed();
        } catch (SQLException | RuntimeException e) {
            // The lock is freed all the same, and the head has not failed by itself: it asks anew.
            return gate.free();
        }
    }

    /** Elsewhere: a connection may have to be made, and the wait blocks. */
    private Action startToWait(Gate gate) {
        sessions.threads().execute(() -> carryOut(gate, await(gate)));
        return Action.NOTHING;
    }

    /** On a session of one's own, or else by trying again and again. */
    private Action await(Gate gate) {
        Waiting waiting;
        try {
            waiting = sessions.forWaiting();
        } catch (RuntimeException e) {
            // Trying again will tell whether the server is there at all.
            waiting = null;
        }
        if (waiting == null) {
            long delay = ThreadLocalRandom.current().nextLong(BACKOFF_MIN_NANOS, BACKOFF_MAX_NANOS);
            sessions.schedule(() -> sessions.threads().execute(() -> carryOut(gate, gate.free())), delay);
            return Action.NOTHING;
        }
        return await(gate, waiting);
    }

    private Action await(Gate gate, Waiting waiting) {
        Entry head = gate.head();
        long remaining = head == null ? 0 : head.deadlineNanos() - System.nanoTime();
        long slice = Math.max(1, Math.min(remaining, SLICE_NANOS));
        if (head == null || isClosed() || !gate.waitsFor(head, waiting, System.nanoTime() + slice)) {
            waiting.giveUp();
            return gate.free();
        }
        try {
            Hold hold = wanted(gate, head.mode());
            long millis = (slice + 999_999) / 1_000_000;
            return waiting.waitFor(hold, millis) ? gate.answered(hold) : gate.free();
        } catch (SQLException e) {
            return gate.failed(e);
        }
    }

    // ---- leaving ----

    /**
     * Lets the entries leave their gates; what PostgreSQL is to free is freed in one round trip where it can be.
     *
     * @return why a lock was lost before, or null
     */
    @Nullable
    Exception leave(List<Gate> left, List<Entry> entries) {
        List<Gate> toFree = new ArrayList<>();
        List<Gate> others = new ArrayList<>();
        List<Action> actions = new ArrayList<>();
        List<Hold> freed = new ArrayList<>();
        Exception loss = null;
        for (int i = left.size() - 1; i >= 0; i--) {
            Gate gate = left.get(i);
            Action action = gate.leave(entries.get(i));
            if (entries.get(i).state() == Entry.State.LOST) {
                loss = entries.get(i).failure();
            }
            if (action == Action.FREE) {
                toFree.add(gate);
                freed.add(gate.leaving());
            } else {
                others.add(gate);
                actions.add(action);
                if (action == Action.FREE_AND_ASK) {
                    freed.add(gate.leaving());
                }
            }
        }
        if (!toFree.isEmpty()) {
            sessions.free(toFree.stream().map(Gate::leaving).toList());
            toFree.forEach(gate -> carryOut(gate, gate.free()));
        }
        for (int i = 0; i < others.size(); i++) {
            carryOut(others.get(i), actions.get(i));
        }
        return loss != null
                ? loss
                : freed.stream()
                        .flatMap(hold -> Stream.ofNullable(hold.loss()))
                        .findFirst()
                        .orElse(null);
    }

    /** Ends every wait and frees every lock; further use throws. Idempotent. */
    @Override
    public void close() {
        sessions.close(() -> gates.values().forEach(Gate::close));
    }

    /** What became of a conversation that failed. */
    RuntimeException problem(List<LockKey> keys, @Nullable Exception failure, Duration waited) {
        if (failure instanceof SessionInterruptedException) {
            return interrupted(keys);
        }
        if (failure instanceof LockDatabaseException e && causedByInterrupt(e)) {
            // HikariCP wraps the interrupt of a thread that waits for a connection.
            return interrupted(keys);
        }
        if (failure instanceof RuntimeException e) {
            return e;
        }
        if (isClosed()) {
            return new LockerClosedException(sessions.name());
        }
        SQLException e = (SQLException) Objects.requireNonNull(failure);
        return new LockDatabaseException(
                "PostgreSQL failed to lock " + keys + " after " + waited.toMillis() + " ms (SQLSTATE " + e.getSQLState()
                        + ": " + e.getMessage() + "). No lock is held.",
                e);
    }

    private static boolean causedByInterrupt(LockDatabaseException e) {
        return e.getCause() != null && e.getCause().getCause() instanceof InterruptedException;
    }

    static void park(Object blocker, long nanos) {
        if (nanos == Long.MAX_VALUE) {
            LockSupport.park(blocker);
        } else {
            LockSupport.parkNanos(blocker, nanos);
        }
    }

    @Override
    public String toString() {
        return sessions + ", gates " + Arrays.toString(gates.values().toArray());
    }
}
