package dev.pals.internal.gate;

import dev.pals.internal.gate.Gate.Action;
import dev.pals.internal.session.Connections;
import dev.pals.internal.session.Deadline;
import dev.pals.internal.session.Hold;
import dev.pals.internal.session.Sessions;
import dev.pals.internal.session.Sessions.SessionInterruptedException;
import dev.pals.internal.session.Sessions.Waiting;
import dev.pals.key.LockKey;
import dev.pals.lock.LockDatabaseException;
import dev.pals.lock.LockException;
import dev.pals.lock.LockInterruptedException;
import dev.pals.lock.LockMode;
import dev.pals.lock.LockUse;
import dev.pals.lock.LockerClosedException;
import dev.pals.lock.WaitPolicy;
import java.lang.ref.Cleaner;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes all locks of a request or none: through the gates of this JVM, ascending, and then from PostgreSQL.
 * Thread-safe.
 *
 * <p>Several keys whose gates are all idle are tried in one round trip. Where one is not free, those behind it are
 * given back, and the rest is taken one by one, ascending: a request that waits holds only locks below that for which
 * it waits, so requests do not deadlock, here or in PostgreSQL.
 */
public final class Gates implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Gates.class);
    /** Not shorter than what a policy says that it is precise to: that would be no pause. */
    private static final long LEAST_RETRY_DELAY_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final Sessions sessions;
    private final Events events;
    private final Cleaner cleaner;
    private final ConcurrentMap<LockKey, Gate> gates = new ConcurrentHashMap<>();
    private final Set<Passage> pausing = ConcurrentHashMap.newKeySet();
    private final Gate.Surroundings surroundings = new GateSurroundings();

    public Gates(Sessions sessions, Events events, Cleaner cleaner) {
        this.sessions = sessions;
        this.events = events;
        this.cleaner = cleaner;
    }

    /** A handle, or null where the wait ran out; with the effort that it took. */
    public record Outcome(@Nullable HeldLock handle, int attempts, Duration waited) {}

    /**
     * Takes the locks; blocks.
     *
     * @param keys ascending and distinct
     * @throws LockException if it came to no decision; no lock is held then
     */
    public Outcome acquire(List<LockKey> keys, LockMode mode, WaitPolicy policy) {
        sessions.checkOpen();
        Passage passage = passage(keys, mode, policy, Origin.ofCaller(), new BlockedThread());
        boolean waits = waits(policy);
        if (waits && Thread.currentThread().isInterrupted()) {
            throw new LockInterruptedException(keys);
        }
        Passage.Progress progress = passage.go();
        while (progress == Passage.Progress.WAITING) {
            if (Thread.interrupted()) {
                passage.giveUp();
                throw interrupted(keys);
            }
            park(this, passage.nanosToWait());
            progress = passage.go();
        }
        return progress == Passage.Progress.GRANTED ? outcome(passage) : missed(passage, waits);
    }

    /**
     * Takes the locks without a thread that waits.
     *
     * @param keys ascending and distinct
     * @param result what the stage is completed with; what it throws, completes the stage exceptionally
     * @return a stage that can be cancelled, which ends the request
     */
    public <T extends @Nullable Object> CompletableFuture<T> acquireAsync(
            List<LockKey> keys, LockMode mode, WaitPolicy policy, Function<Outcome, T> result) {
        sessions.checkOpen();
        Origin origin = Origin.ofCaller();
        boolean waits = waits(policy);
        AsyncRequest<T> request = new AsyncRequest<>(
                sessions,
                caller -> passage(keys, mode, policy, origin, caller),
                this::outcome,
                passage -> missed(passage, waits),
                result);
        return request.start();
    }

    /** Whether it does more than a single try. */
    private static boolean waits(WaitPolicy policy) {
        return !policy.limit().equals(Optional.of(Duration.ZERO));
    }

    private Passage passage(List<LockKey> keys, LockMode mode, WaitPolicy policy, Origin origin, Entry.Caller caller) {
        Deadline deadline = Deadline.start(policy, System::nanoTime);
        long retryDelay = policy.retryDelay()
                .map(delay -> Math.max(LEAST_RETRY_DELAY_NANOS, TimeUnit.NANOSECONDS.convert(delay)))
                .orElse(0L);
        return new Passage(
                this, keys, mode, deadline, retryDelay == 0 && !deadline.hasPassed(), retryDelay, origin, caller);
    }

    private Outcome outcome(Passage passage) {
        Duration waited = passage.deadline().elapsed();
        HeldLock handle;
        try {
            handle = new HeldLock(this, passage, waited);
        } catch (RuntimeException | Error e) {
            // It is granted, and nobody else would give it up.
            passage.giveUp();
            throw e;
        }
        events.acquired(passage, waited);
        return new Outcome(handle, passage.attempts(), waited);
    }

    private Outcome missed(Passage passage, boolean waits) {
        Duration waited = passage.deadline().elapsed();
        if (waits) {
            events.timedOut(passage, waited);
        }
        return new Outcome(null, passage.attempts(), waited);
    }

    static LockInterruptedException interrupted(List<LockKey> keys) {
        Thread.currentThread().interrupt();
        return new LockInterruptedException(keys);
    }

    /**
     * Whether any program holds the lock in PostgreSQL. One round trip.
     *
     * @throws LockException if it could not be found out
     */
    public boolean isLocked(LockKey key) {
        sessions.checkOpen();
        long start = System.nanoTime();
        try {
            return sessions.isHeld(key);
        } catch (SQLException | SessionInterruptedException e) {
            throw problem(List.of(key), e, Duration.ofNanos(System.nanoTime() - start));
        }
    }

    /** What requests of this program have and wait for: by key, the holders before those that wait, in their order. */
    public List<LockUse> uses() {
        List<LockUse> uses = new ArrayList<>();
        gates.values().forEach(gate -> uses.addAll(gate.uses()));
        pausing.forEach(passage -> passage.keys().forEach(key -> uses.add(passage.waitingFor(key))));
        uses.sort(Comparator.comparingLong(use -> use.key().lockHash()));
        return uses;
    }

    Sessions sessions() {
        return sessions;
    }

    Events events() {
        return events;
    }

    Cleaner cleaner() {
        return cleaner;
    }

    boolean isClosed() {
        return sessions.isClosed();
    }

    void pausing(Passage passage) {
        pausing.add(passage);
        if (isClosed()) {
            passage.wake();
        }
    }

    void resumed(Passage passage) {
        pausing.remove(passage);
    }

    // ---- entering ----

    /** The gate of the key; where it has just fallen out of use, another one is to be asked for. */
    Gate gate(LockKey key) {
        Gate gate = gates.get(key);
        return gate != null ? gate : gates.computeIfAbsent(key, missing -> new Gate(surroundings, missing));
    }

    /** Queues the entry if the gate is idle; the caller has the conversation then. */
    @Nullable
    Gate claim(LockKey key, Entry entry) {
        Gate gate = gate(key);
        return gate.claim(entry) ? gate : null;
    }

    private final class GateSurroundings implements Gate.Surroundings {
        @Override
        public boolean isClosed() {
            return sessions.isClosed();
        }

        @Override
        public void forget(Gate gate) {
            gates.remove(gate.key(), gate);
        }

        @Override
        public void cancel(Waiting waiting) {
            sessions.threads().execute(waiting::cancel);
        }

        @Override
        public void carryOut(Gate gate, Action action) {
            Gates.this.carryOut(gate, action);
        }
    }

    // ---- conversations with PostgreSQL ----

    /** Carries out what a gate has decided, and what it decides then. */
    void carryOut(Gate gate, Action first) {
        Action action = first;
        while (action != Action.NOTHING) {
            Action decided = action;
            action = told(gate, () -> step(gate, decided));
        }
    }

    /** Whatever fails, the gate is told: otherwise it would wait for this conversation for ever. */
    private Action told(Gate gate, Supplier<Action> step) {
        try {
            return step.get();
        } catch (RuntimeException e) {
            return gate.failed(e);
        } catch (Error e) {
            // It concerns the request for which this was; whoever happens to carry it out has other gates to see to.
            LOG.error("{}: what was to be done for {} failed", sessions.name(), gate.key(), e);
            return gate.failed(new IllegalStateException(e));
        }
    }

    private Action step(Gate gate, Action action) {
        return switch (action) {
            case ASK -> ask(gate);
            case FREE -> {
                sessions.free(gate.leaving());
                yield gate.free();
            }
            case FREE_AND_ASK -> exchange(gate);
            case FREE_AND_PAUSE -> {
                sessions.free(gate.leaving());
                yield askLater(gate, gate.pause());
            }
            case WAIT -> startToWait(gate);
            case LOOK -> look(gate);
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
        Entry head = gate.askForHead();
        if (head == null) {
            return gate.free();
        }
        // Another's request must not fail because this thread is interrupted.
        boolean own = head.isOfThisThread();
        boolean interrupted = !own && Thread.interrupted();
        try {
            Hold hold = wanted(gate, head.mode());
            return sessions.take(hold) ? gate.answered(hold) : gate.missed();
        } catch (SQLException | RuntimeException e) {
            if (own || !isInterrupt(e)) {
                return gate.failed(e);
            }
            interrupted = true;
            // The interrupt came meanwhile, and the head has not failed by itself: it is asked for anew.
            return gate.free();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private Action exchange(Gate gate) {
        Entry head = gate.askForHead();
        Hold leaving = gate.leaving();
        if (head == null) {
            sessions.free(leaving);
            return gate.free();
        }
        try {
            Hold hold = wanted(gate, head.mode());
            return sessions.exchange(leaving, hold) ? gate.answered(hold) : gate.missed();
        } catch (SQLException | RuntimeException e) {
            LOG.debug("{}: {} is asked for anew", sessions.name(), gate.key(), e);
            // The lock is freed all the same, and the head has not failed by itself: it asks anew.
            return gate.free();
        }
    }

    private Action look(Gate gate) {
        boolean waitedFor = false;
        try {
            waitedFor = sessions.isWaitedFor(gate.key());
        } catch (SQLException | RuntimeException e) {
            LOG.debug("{}: whether {} is waited for is looked at again later", sessions.name(), gate.key(), e);
        }
        Action next = gate.looked(waitedFor);
        if (waitedFor) {
            var unused = sessions.schedule(
                    () -> sessions.steps().execute(() -> carryOut(gate, gate.lookAgain())), Gate.MAX_JOIN_NANOS);
        }
        return next;
    }

    /** On a session of one's own, or else by trying again and again. */
    private Action startToWait(Gate gate) {
        Waiting waiting = sessions.forWaiting();
        if (waiting == null) {
            return tryAgainLater(gate);
        }
        try {
            // Elsewhere: a connection may have to be made, and the wait blocks.
            sessions.threads().execute(() -> carryOut(gate, told(gate, () -> await(gate, waiting))));
        } catch (RuntimeException | Error e) {
            waiting.giveUp();
            throw e;
        }
        return Action.NOTHING;
    }

    private Action tryAgainLater(Gate gate) {
        long most = gate.retryDelayNanos();
        return askLater(gate, ThreadLocalRandom.current().nextLong(most / 2, most));
    }

    private Action askLater(Gate gate, long nanos) {
        var unused = sessions.schedule(() -> sessions.steps().execute(() -> carryOut(gate, gate.free())), nanos);
        return Action.NOTHING;
    }

    private boolean connect(Gate gate, Waiting waiting) {
        try {
            return waiting.connect();
        } catch (RuntimeException e) {
            LOG.debug("{}: {} is tried again instead of waited for", sessions.name(), gate.key(), e);
            // That will tell whether the server is there at all.
            return false;
        }
    }

    private Action await(Gate gate, Waiting waiting) {
        if (!connect(gate, waiting)) {
            return tryAgainLater(gate);
        }
        Entry head = gate.askForHead();
        long remaining = head == null ? 0 : head.deadlineNanos() - System.nanoTime();
        long slice = Math.max(1, Math.min(remaining, sessions.sliceNanos()));
        if (head == null || isClosed() || !gate.waitsFor(head, waiting, System.nanoTime() + slice)) {
            waiting.giveUp();
            return gate.free();
        }
        try {
            Hold hold = wanted(gate, head.mode());
            long millis = (slice + 999_999) / 1_000_000;
            return waiting.waitFor(hold, millis) ? gate.answered(hold) : gate.free();
        } catch (SQLException | RuntimeException e) {
            return gate.failed(e);
        }
    }

    // ---- leaving ----

    /**
     * Lets the first entries leave their gates; what PostgreSQL is to free is freed in one round trip where it can be.
     *
     * @return why a lock was lost before, or null
     */
    @Nullable
    Exception leave(Gate[] left, Entry[] entries, int count) {
        return count == 1 ? leave(left[0], entries[0]) : leaveAll(left, entries, count);
    }

    private @Nullable Exception leave(Gate gate, Entry entry) {
        carryOut(gate, gate.leave(entry));
        return Objects.requireNonNull(entry.hold()).loss();
    }

    private @Nullable Exception leaveAll(Gate[] left, Entry[] entries, int count) {
        List<Gate> toFree = new ArrayList<>();
        List<Gate> others = new ArrayList<>();
        List<Action> actions = new ArrayList<>();
        Exception loss = null;
        for (int i = count - 1; i >= 0; i--) {
            Action action = left[i].leave(entries[i]);
            if (action == Action.FREE) {
                toFree.add(left[i]);
            } else {
                others.add(left[i]);
                actions.add(action);
            }
        }
        if (!toFree.isEmpty()) {
            sessions.free(toFree.stream().map(Gate::leaving).toList());
            toFree.forEach(gate -> carryOut(gate, gate.free()));
        }
        for (int i = 0; i < others.size(); i++) {
            carryOut(others.get(i), actions.get(i));
        }
        for (int i = 0; i < count; i++) {
            Hold hold = entries[i].hold();
            if (hold != null && hold.loss() != null) {
                loss = hold.loss();
            }
        }
        return loss;
    }

    /** Ends every wait and frees every lock; further use throws. Idempotent. */
    @Override
    public void close() {
        sessions.close(() -> {
            gates.values().forEach(Gate::close);
            pausing.forEach(Passage::wake);
        });
    }

    /** What became of a conversation that failed. */
    RuntimeException problem(List<LockKey> keys, @Nullable Exception failure, Duration waited) {
        if (isInterrupt(failure)) {
            return interrupted(keys);
        }
        if (failure instanceof LockException e) {
            return e;
        }
        if (isClosed()) {
            return new LockerClosedException(sessions.name());
        }
        Exception e = Objects.requireNonNull(failure);
        String state = e instanceof SQLException sql ? "SQLSTATE " + sql.getSQLState() + ": " : "";
        return new LockDatabaseException(
                "PostgreSQL failed to lock " + keys + " after " + waited.toMillis() + " ms (" + state + e.getMessage()
                        + "). No lock is held." + Connections.hint(e, ""),
                e);
    }

    /** HikariCP wraps the interrupt of a thread that waits for a connection. */
    private static boolean isInterrupt(@Nullable Exception failure) {
        return failure instanceof SessionInterruptedException
                || (failure instanceof LockDatabaseException e
                        && e.getCause() != null
                        && e.getCause().getCause() instanceof InterruptedException);
    }

    private static void park(Object blocker, long nanos) {
        if (nanos == Long.MAX_VALUE) {
            LockSupport.park(blocker);
        } else {
            LockSupport.parkNanos(blocker, nanos);
        }
    }

    /** The thread that called, and sleeps. */
    private static final class BlockedThread implements Entry.Caller {
        private final Thread thread = Thread.currentThread();

        @Override
        public void wake() {
            if (!isThisThread()) {
                LockSupport.unpark(thread);
            }
        }

        @Override
        public boolean isThisThread() {
            return thread == Thread.currentThread();
        }
    }

    @Override
    public String toString() {
        return sessions + ", gates " + Arrays.toString(gates.values().toArray());
    }
}
