package dev.pals.internal.gate;

import static org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt.forClasses;

import dev.pals.internal.session.Hold;
import dev.pals.lock.LockMode;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import org.jetbrains.lincheck.Lincheck;
import org.jetbrains.lincheck.datastructures.BooleanGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jetbrains.lincheck.datastructures.verifier.EpsilonVerifier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Lincheck runs short programs of a few threads in many of the orders in which their steps can come. PostgreSQL is
 * simulated: it is the gate whose steps are mixed.
 */
final class GateInterleavingTest {
    private static final int THREADS = 3;
    /** An order takes Lincheck some milliseconds; it begins with those that have the fewest changes of threads. */
    private static final int ORDERS = 200;

    private static final int FEW_ORDERS = 60;

    /** Nobody waits, so each answer must be one that a lock without threads gives, in some order of the requests. */
    @Test
    void tries_inAnyOrder_areAnsweredAsOneAfterTheOther() {
        options(7, 1, 100).sequentialSpecification(SequentialLock.class).check(Tries.class);
    }

    /** Whoever gives up at the moment at which it is granted either has the lock or has left it to the next. */
    @Test
    void waits_givenUpOrLost_excludeAndLeaveNothing() {
        options(12, 2, 100).verifier(EpsilonVerifier.class).check(GivenUpWaits.class);
    }

    /** Nobody sleeps for ever, and what only the lock protects is counted right. */
    @Test
    void waits_forEver_areAllGrantedInTurn() {
        options(5, 1, 60).sequentialSpecification(SequentialCounter.class).check(Counter.class);
    }

    /** The two steps whose order decides, without others: they are mixed in every way. */
    @Test
    void waiter_givesUpWhileItsTurnComes_hasTheLockOrLeavesIt() {
        Lincheck.runConcurrentTest(ORDERS, () -> {
            SimulatedProgram program = new SimulatedProgram();
            Place holder = awaited(program, LockMode.EXCLUSIVE, true);
            together(
                    () -> leaveIfGranted(program, givenUp(program, LockMode.EXCLUSIVE)),
                    () -> program.leave(holder.gate, holder.entry));
            program.checkNothingIsLeft();
            failIfWrong(program);
        });
    }

    @Test
    void waiter_givesUpWhileAnotherProgramFrees_hasTheLockOrLeavesIt() {
        Lincheck.runConcurrentTest(ORDERS, () -> {
            SimulatedProgram program = new SimulatedProgram();
            program.otherTakes(LockMode.EXCLUSIVE);
            together(() -> leaveIfGranted(program, givenUp(program, LockMode.EXCLUSIVE)), program::otherFrees);
            program.checkNothingIsLeft();
            failIfWrong(program);
        });
    }

    /** A reader stands behind a writer that gives up while the other reader is still there. */
    @Test
    void reader_behindAWriterThatGivesUp_isGranted() {
        Lincheck.runConcurrentTest(FEW_ORDERS, () -> {
            SimulatedProgram program = new SimulatedProgram();
            Place reader = awaited(program, LockMode.SHARED, true);
            together(
                    () -> leaveIfGranted(program, givenUp(program, LockMode.EXCLUSIVE)),
                    () -> leaveIfGranted(program, awaited(program, LockMode.SHARED, true)));
            leaveIfGranted(program, reader);
            program.checkNothingIsLeft();
            failIfWrong(program);
        });
    }

    @Test
    void waiter_sessionOfTheHolderEnds_isGrantedWhatIsNotLost() {
        Lincheck.runConcurrentTest(FEW_ORDERS, () -> {
            SimulatedProgram program = new SimulatedProgram();
            Place holder = awaited(program, LockMode.EXCLUSIVE, true);
            Hold lost = Objects.requireNonNull(holder.entry.hold());
            together(program::endSession, () -> {
                Place next = awaited(program, LockMode.EXCLUSIVE, true);
                if (next.entry.hold() == lost) {
                    program.wrong.add("a lost lock was granted");
                }
                leaveIfGranted(program, next);
            });
            program.leave(holder.gate, holder.entry);
            if (holder.entry.state() != Entry.State.LOST) {
                program.wrong.add("lost, and the holder is " + holder.entry.state());
            }
            program.checkNothingIsLeft();
            failIfWrong(program);
        });
    }

    @Test
    void readers_behindAWriterThatLeaves_areAllGranted() {
        Lincheck.runConcurrentTest(FEW_ORDERS, () -> {
            SimulatedProgram program = new SimulatedProgram();
            Place writer = awaited(program, LockMode.EXCLUSIVE, true);
            Runnable reader = () -> leaveIfGranted(program, awaited(program, LockMode.SHARED, true));
            together(() -> program.leave(writer.gate, writer.entry), reader, reader);
            program.checkNothingIsLeft();
            failIfWrong(program);
        });
    }

    /** A writer that does not wait is in nobody's way if it does not get the lock. */
    @Test
    void readers_besideAWriterThatMisses_areBothGranted() {
        Lincheck.runConcurrentTest(ORDERS, () -> {
            SimulatedProgram program = new SimulatedProgram();
            Place[] places = new Place[3];
            together(
                    () -> places[0] = tried(program, LockMode.SHARED),
                    () -> places[1] = tried(program, LockMode.EXCLUSIVE),
                    () -> places[2] = tried(program, LockMode.SHARED));
            if (places[1].entry.state() == Entry.State.MISSED
                    && (places[0].entry.state() != Entry.State.GRANTED
                            || places[2].entry.state() != Entry.State.GRANTED)) {
                program.wrong.add("a reader missed, and nobody had an exclusive lock");
            }
            for (Place place : places) {
                leaveIfGranted(program, place);
            }
            program.checkNothingIsLeft();
            failIfWrong(program);
        });
    }

    private static void together(Runnable own, Runnable... others) {
        Thread[] threads = new Thread[others.length];
        for (int i = 0; i < others.length; i++) {
            threads[i] = new Thread(others[i]);
            threads[i].start();
        }
        own.run();
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private static void leaveIfGranted(SimulatedProgram program, Place place) {
        if (place.entry.state() == Entry.State.GRANTED) {
            program.leave(place.gate, place.entry);
        }
    }

    private static ModelCheckingOptions options(int programs, int requests, int orders) {
        return new ModelCheckingOptions()
                .iterations(programs)
                .invocationsPerIteration(orders)
                .threads(THREADS)
                .loopIterationsBeforeThreadSwitch(3)
                .actorsBefore(1)
                .actorsPerThread(requests)
                .actorsAfter(0)
                .addGuarantee(
                        forClasses(SimulatedLock.class.getName()).allMethods().ignore());
    }

    /** Does not rely on looking again after a spurious wake-up, which Lincheck gives to all who are parked. */
    private static final class Sleeping implements Entry.Caller {
        private final Thread thread = Thread.currentThread();
        private volatile boolean woken;

        @Override
        public void wake() {
            woken = true;
            LockSupport.unpark(thread);
        }

        void sleep() {
            while (!woken) {
                LockSupport.park(this);
            }
            woken = false;
        }

        @Override
        public boolean isThisThread() {
            return thread == Thread.currentThread();
        }
    }

    private static LockMode mode(boolean shared) {
        return shared ? LockMode.SHARED : LockMode.EXCLUSIVE;
    }

    /** No record: Lincheck cannot look into those. */
    private static final class Place {
        final Gate gate;
        final Entry entry;

        Place(Gate gate, Entry entry) {
            this.gate = gate;
            this.entry = entry;
        }
    }

    /** Does not wait for the lock, but for PostgreSQL's answer if that is under way. */
    private static Place tried(SimulatedProgram program, LockMode mode) {
        return awaited(program, mode, false);
    }

    private static Place awaited(SimulatedProgram program, LockMode mode, boolean patient) {
        Sleeping sleeping = new Sleeping();
        Entry entry = new Entry(sleeping, SimulatedProgram.ORIGIN, mode, patient, SimulatedProgram.NEVER);
        Gate gate = program.enter(entry);
        while (entry.state() == Entry.State.QUEUED) {
            sleeping.sleep();
        }
        return new Place(gate, entry);
    }

    /** Gives up at once if it is not granted at once. */
    private static Place givenUp(SimulatedProgram program, LockMode mode) {
        Entry entry = new Entry(new Sleeping(), SimulatedProgram.ORIGIN, mode, true, SimulatedProgram.NEVER);
        Gate gate = program.enter(entry);
        if (entry.state() == Entry.State.QUEUED && gate.withdraw(entry) && entry.state() != Entry.State.WITHDRAWN) {
            program.wrong.add("withdrawn and " + entry.state());
        }
        return new Place(gate, entry);
    }

    /** What is held by which thread; each holds at most once. */
    private static final class Holders {
        private final AtomicReferenceArray<@Nullable Place> places = new AtomicReferenceArray<>(8);
        private final SimulatedProgram program;

        Holders(SimulatedProgram program) {
            this.program = program;
        }

        boolean holds(int thread) {
            return places.get(thread) != null;
        }

        boolean enterIfGranted(int thread, Place place) {
            Entry entry = place.entry;
            if (entry.state() != Entry.State.GRANTED && entry.state() != Entry.State.LOST) {
                return false;
            }
            places.set(thread, place);
            LockMode other = program.otherHolds();
            if (other != null && SimulatedLock.conflict(entry.mode(), other) && isAlive(entry)) {
                program.wrong.add(thread + " has the lock with the other program");
            }
            for (int i = 0; i < places.length(); i++) {
                Place another = places.get(i);
                if (i != thread
                        && another != null
                        && SimulatedLock.conflict(another.entry.mode(), entry.mode())
                        && isAlive(another.entry)
                        && isAlive(entry)) {
                    program.wrong.add(thread + " has the lock with " + i);
                }
            }
            return true;
        }

        private static boolean isAlive(Entry entry) {
            return entry.state() == Entry.State.GRANTED
                    && Objects.requireNonNull(entry.hold()).loss() == null;
        }

        boolean leave(int thread) {
            Place place = places.getAndSet(thread, null);
            if (place == null) {
                return false;
            }
            program.leave(place.gate, place.entry);
            return true;
        }

        void leaveAll() {
            for (int i = 0; i < places.length(); i++) {
                leave(i);
            }
        }
    }

    // ---- tries ----

    public static final class SequentialLock {
        private final @Nullable LockMode[] holders = new @Nullable LockMode[8];

        public boolean tryLock(int thread, boolean shared) {
            LockMode mode = mode(shared);
            if (holders[thread] != null) {
                return false;
            }
            for (@Nullable LockMode held : holders) {
                if (held != null && SimulatedLock.conflict(held, mode)) {
                    return false;
                }
            }
            holders[thread] = mode;
            return true;
        }

        public boolean unlock(int thread) {
            boolean held = holders[thread] != null;
            holders[thread] = null;
            return held;
        }
    }

    @Param(name = "thread", gen = ThreadIdGen.class)
    public static final class Tries {
        private final SimulatedProgram program = new SimulatedProgram();
        private final Holders holders = new Holders(program);

        @Operation
        public boolean tryLock(@Param(name = "thread") int thread, @Param(gen = BooleanGen.class) boolean shared) {
            if (holders.holds(thread)) {
                return false;
            }
            return holders.enterIfGranted(thread, tried(program, mode(shared)));
        }

        @Operation
        public boolean unlock(@Param(name = "thread") int thread) {
            return holders.leave(thread);
        }

        @Validate
        public void nothingIsLeft() {
            holders.leaveAll();
            program.checkNothingIsLeft();
            failIfWrong(program);
        }
    }

    // ---- waits that are given up ----

    /** Whoever gives up, and what PostgreSQL and another program do. The answers are not judged, only what is held. */
    @Param(name = "thread", gen = ThreadIdGen.class)
    public static final class GivenUpWaits {
        private final SimulatedProgram program = new SimulatedProgram();
        private final Holders holders = new Holders(program);
        private final ConcurrentLinkedQueue<Entry> withdrawn = new ConcurrentLinkedQueue<>();

        @Operation
        public boolean lockOrGiveUp(@Param(name = "thread") int thread, @Param(gen = BooleanGen.class) boolean shared) {
            if (holders.holds(thread)) {
                return false;
            }
            List<Hold> lost = program.lostSoFar();
            Place place = givenUp(program, mode(shared));
            Hold hold = place.entry.hold();
            if (hold != null && lost.contains(hold)) {
                program.wrong.add("a lost lock was granted");
            }
            boolean granted = holders.enterIfGranted(thread, place);
            if (!granted) {
                withdrawn.add(place.entry);
            }
            return granted;
        }

        @Operation
        public boolean tryLock(@Param(name = "thread") int thread, @Param(gen = BooleanGen.class) boolean shared) {
            return !holders.holds(thread) && holders.enterIfGranted(thread, tried(program, mode(shared)));
        }

        @Operation
        public boolean unlock(@Param(name = "thread") int thread) {
            return holders.leave(thread);
        }

        @Operation
        public boolean waitEnds() {
            return program.endWait();
        }

        @Operation
        public boolean sessionEnds() {
            return program.endSession();
        }

        @Operation(nonParallelGroup = "other")
        public boolean otherProgramTakes(@Param(gen = BooleanGen.class) boolean shared) {
            return program.otherHolds() == null && program.otherTakes(mode(shared));
        }

        @Operation(nonParallelGroup = "other")
        public boolean otherProgramFrees() {
            return program.otherFrees();
        }

        @Operation(nonParallelGroup = "other")
        public boolean otherProgramWaits(@Param(gen = BooleanGen.class) boolean shared) {
            return program.otherHolds() == null && program.otherTakesOrWaits(mode(shared));
        }

        @Validate
        public void nothingIsLeft() {
            program.otherStopsWaiting();
            program.otherFrees();
            holders.leaveAll();
            for (Entry entry : withdrawn) {
                if (entry.state() == Entry.State.GRANTED || entry.state() == Entry.State.QUEUED) {
                    program.wrong.add("given up and " + entry.state());
                }
            }
            program.checkNothingIsLeft();
            failIfWrong(program);
        }
    }

    // ---- waits for ever ----

    public static final class SequentialCounter {
        private int count;

        public int increment() {
            return ++count;
        }

        public int look() {
            return count;
        }

        public boolean lockOrGiveUp(boolean shared) {
            return true;
        }
    }

    /** A number without any protection but the lock. */
    public static final class Counter {
        private final SimulatedProgram program = new SimulatedProgram();
        private int count;

        @Operation
        public int increment() {
            Place place = awaited(program, LockMode.EXCLUSIVE, true);
            int result = ++count;
            program.leave(place.gate, place.entry);
            return result;
        }

        @Operation
        public int look() {
            Place place = awaited(program, LockMode.SHARED, true);
            int result = count;
            program.leave(place.gate, place.entry);
            return result;
        }

        /** Is in the way of the others, whether it is granted or not. */
        @Operation
        public boolean lockOrGiveUp(@Param(gen = BooleanGen.class) boolean shared) {
            Place place = givenUp(program, mode(shared));
            if (place.entry.state() == Entry.State.GRANTED) {
                program.leave(place.gate, place.entry);
            }
            return true;
        }

        @Validate
        public void nothingIsLeft() {
            program.checkNothingIsLeft();
            failIfWrong(program);
        }
    }

    private static void failIfWrong(SimulatedProgram program) {
        if (!program.wrong.isEmpty()) {
            throw new AssertionError(List.copyOf(program.wrong).toString());
        }
    }
}
