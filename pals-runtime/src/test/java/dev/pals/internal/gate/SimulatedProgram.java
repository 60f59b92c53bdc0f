package dev.pals.internal.gate;

import dev.pals.internal.gate.Gate.Action;
import dev.pals.internal.session.EndedSessions;
import dev.pals.internal.session.Hold;
import dev.pals.internal.session.Sessions.Waiting;
import dev.pals.key.LockKey;
import dev.pals.lock.LockMode;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Carries out what gates of one key decide, as {@link Gates} does, on a lock that is simulated; and another program
 * that wants the same lock. There are no threads of its own: a wait that is granted goes on in the thread that has
 * freed the lock. Whatever is wrong is noted in {@link #wrong}.
 */
final class SimulatedProgram implements Gate.Surroundings {
    /** Later than any time of the test. */
    static final long NEVER = Long.MAX_VALUE / 2;

    static final Origin ORIGIN = Origin.ofCaller();

    private static final LockKey KEY = LockKey.of("simulated", "key");
    private static final Waiting WAITING = EndedSessions.waiting();
    private static final Object OTHER_PROGRAM = "the other program";

    final ConcurrentLinkedQueue<String> wrong = new ConcurrentLinkedQueue<>();
    private final SimulatedLock lock = new SimulatedLock();
    private final AtomicReference<@Nullable Gate> gate = new AtomicReference<>();
    private final AtomicReference<@Nullable Hold> held = new AtomicReference<>();
    private final AtomicReference<@Nullable Hold> waiting = new AtomicReference<>();
    private final AtomicReference<@Nullable LockMode> otherProgram = new AtomicReference<>();
    private final ConcurrentLinkedQueue<Hold> lost = new ConcurrentLinkedQueue<>();
    private final AtomicInteger made = new AtomicInteger();
    private final AtomicInteger forgotten = new AtomicInteger();
    private volatile LockMode otherWaitsFor = LockMode.EXCLUSIVE;
    private volatile boolean closed;

    // ---- what Gates does ----

    Gate enter(Entry entry) {
        while (true) {
            Gate entered = current();
            Action action = entered.enter(entry);
            if (action != null) {
                carryOut(entered, action);
                return entered;
            }
        }
    }

    /** Takes it where nobody is there; whoever is there is waited for as by {@link #enter}. */
    private Gate current() {
        Gate there = gate.get();
        if (there != null) {
            return there;
        }
        Gate more = new Gate(this, KEY);
        if (gate.compareAndSet(null, more)) {
            made.incrementAndGet();
            return more;
        }
        return current();
    }

    void leave(Gate left, Entry entry) {
        carryOut(left, left.leave(entry));
    }

    void close() {
        closed = true;
        Gate there = gate.get();
        if (there != null) {
            there.close();
        }
    }

    @Override
    public boolean isClosed() {
        return closed;
    }

    @Override
    public void forget(Gate retired) {
        forgotten.incrementAndGet();
        if (!gate.compareAndSet(retired, null)) {
            wrong.add("a gate that is not in use was forgotten");
        }
    }

    @Override
    public void cancel(Waiting needless) {
        endWait();
    }

    @Override
    public void carryOut(Gate told, Action first) {
        Action action = first;
        while (action != Action.NOTHING) {
            action = step(told, action);
        }
    }

    private Action step(Gate told, Action action) {
        return switch (action) {
            case ASK -> ask(told);
            case FREE -> {
                free(told.leaving());
                yield told.free();
            }
            case FREE_AND_ASK -> {
                free(told.leaving());
                yield ask(told);
            }
            case FREE_AND_PAUSE -> {
                free(told.leaving());
                told.pause();
                yield told.free();
            }
            case LOOK -> told.looked(lock.isWaitedFor());
            case WAIT -> await(told);
            case NOTHING -> Action.NOTHING;
        };
    }

    private Action ask(Gate told) {
        Entry head = told.askForHead();
        if (head == null) {
            return told.free();
        }
        Hold hold = wanted(told, head);
        return lock.take(hold, hold.mode()) ? answered(told, hold) : told.missed();
    }

    private Action await(Gate told) {
        Entry head = told.askForHead();
        if (head == null || !told.waitsFor(head, WAITING, NEVER)) {
            return told.free();
        }
        Hold hold = wanted(told, head);
        waiting.set(hold);
        return lock.takeOrWait(hold, hold.mode()) ? answered(told, hold) : Action.NOTHING;
    }

    private Hold wanted(Gate told, Entry head) {
        return new Hold(KEY, head.mode(), lost -> carryOut(told, told.lost(lost)));
    }

    private Action answered(Gate told, Hold hold) {
        waiting.compareAndSet(hold, null);
        Hold before = held.getAndSet(hold);
        if (before != null && before.loss() == null) {
            wrong.add("asked for while it is held");
        }
        return told.answered(hold);
    }

    private void free(Hold hold) {
        held.compareAndSet(hold, null);
        lock.free(hold).forEach(this::granted);
    }

    private void granted(Object holder) {
        if (holder instanceof Hold hold) {
            Gate told = Objects.requireNonNull(gate.get());
            carryOut(told, answered(told, hold));
        } else {
            otherProgram.set(otherWaitsFor);
        }
    }

    // ---- what PostgreSQL does ----

    /** The wait ends without the lock, by its lock_timeout or because it was cancelled. */
    boolean endWait() {
        Hold hold = waiting.get();
        List<Object> others = hold == null ? null : lock.stopWaiting(hold);
        if (hold == null || others == null) {
            return false;
        }
        others.forEach(this::granted);
        waiting.compareAndSet(hold, null);
        Gate told = Objects.requireNonNull(gate.get());
        carryOut(told, told.free());
        return true;
    }

    /** The session that holds the lock ends: its holders are told before others can have the lock. */
    boolean endSession() {
        Hold hold = held.get();
        if (hold == null || !held.compareAndSet(hold, null)) {
            return false;
        }
        EndedSessions.lose(hold);
        lost.add(hold);
        free(hold);
        return true;
    }

    /** What was lost before this moment must not be granted after it. */
    List<Hold> lostSoFar() {
        return List.copyOf(lost);
    }

    // ---- the other program ----

    boolean otherTakes(LockMode mode) {
        boolean taken = lock.take(OTHER_PROGRAM, mode);
        if (taken) {
            otherProgram.set(mode);
        }
        return taken;
    }

    boolean otherTakesOrWaits(LockMode mode) {
        otherWaitsFor = mode;
        boolean taken = lock.takeOrWait(OTHER_PROGRAM, mode);
        if (taken) {
            otherProgram.set(mode);
        }
        return taken;
    }

    boolean otherFrees() {
        if (otherProgram.getAndSet(null) == null) {
            return false;
        }
        lock.free(OTHER_PROGRAM).forEach(this::granted);
        return true;
    }

    void otherStopsWaiting() {
        List<Object> others = lock.stopWaiting(OTHER_PROGRAM);
        if (others != null) {
            others.forEach(this::granted);
        }
    }

    @Nullable
    LockMode otherHolds() {
        return otherProgram.get();
    }

    // ---- when all is over ----

    /** After all have left: nothing is held, nobody is queued, and each gate was retired once. */
    void checkNothingIsLeft() {
        if (!lock.isIdle()) {
            wrong.add("left in PostgreSQL: " + lock);
        }
        Gate there = gate.get();
        if (there != null) {
            wrong.add("left in the gate: " + there);
        }
        if (made.get() != forgotten.get()) {
            wrong.add(made + " gates were made and " + forgotten + " forgotten");
        }
    }
}
