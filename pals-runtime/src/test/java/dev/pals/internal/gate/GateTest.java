package dev.pals.internal.gate;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.internal.gate.Gate.Action;
import dev.pals.internal.session.Hold;
import dev.pals.key.LockKey;
import dev.pals.lock.LockMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What one gate decides, step by step, in one thread; PostgreSQL is simulated. */
final class GateTest {
    private static final LockKey KEY = LockKey.of("gate", "key");
    private static final int MANY = 3 * Gate.MAX_HAND_OFFS;

    private final SimulatedProgram program = new SimulatedProgram();
    private final List<Entry> entries = new ArrayList<>();
    private final List<Gate> gates = new ArrayList<>();

    /** Fewer on a machine so slow that their time runs out before their number. */
    @Test
    void handOffs_whileAnotherProgramWaits_areBounded() {
        for (int i = 0; i < MANY; i++) {
            enter(LockMode.EXCLUSIVE, true);
        }
        assertThat(program.otherTakesOrWaits(LockMode.EXCLUSIVE)).isFalse();

        int left = 0;
        while (program.otherHolds() == null) {
            assertThat(left).as("holders that came first").isLessThan(Gate.MAX_HAND_OFFS);
            leave(left);
            left++;
        }

        assertThat(left).isPositive();
        assertThat(entries.subList(left, MANY)).allMatch(entry -> entry.state() == Entry.State.QUEUED);
        assertThat(program.otherFrees()).isTrue();
        for (int i = left; i < MANY; i++) {
            assertThat(entries.get(i).state()).isEqualTo(Entry.State.GRANTED);
            leave(i);
        }
        nothingIsLeft();
    }

    /** While PostgreSQL is asked for a reader, a writer and another reader come who would not wait. */
    @Test
    void readerThatDoesNotWait_behindAWriterThatMisses_isGranted() {
        Gate gate = new Gate(program, KEY);
        Entry reader = entry(LockMode.SHARED, false);
        Entry writer = entry(LockMode.EXCLUSIVE, false);
        Entry another = entry(LockMode.SHARED, false);
        assertThat(gate.enter(reader)).isEqualTo(Action.ASK);
        assertThat(gate.askForHead()).isSameAs(reader);
        assertThat(gate.enter(writer)).isEqualTo(Action.NOTHING);
        assertThat(gate.enter(another)).isEqualTo(Action.NOTHING);

        assertThat(gate.answered(new Hold(KEY, LockMode.SHARED, lost -> {}))).isEqualTo(Action.NOTHING);

        assertThat(states(reader, writer, another))
                .containsExactly(Entry.State.GRANTED, Entry.State.MISSED, Entry.State.GRANTED);
    }

    /** That another program has a reader keeps the writer out, and says nothing of the reader. */
    @Test
    void readerThatDoesNotWait_writerBeforeItMisses_isAskedFor() {
        Gate gate = new Gate(program, KEY);
        Entry writer = entry(LockMode.EXCLUSIVE, false);
        Entry reader = entry(LockMode.SHARED, false);
        assertThat(gate.enter(writer)).isEqualTo(Action.ASK);
        assertThat(gate.askForHead()).isSameAs(writer);
        assertThat(gate.enter(reader)).isEqualTo(Action.NOTHING);

        assertThat(gate.missed()).isEqualTo(Action.ASK);

        assertThat(states(writer, reader)).containsExactly(Entry.State.MISSED, Entry.State.QUEUED);
        assertThat(gate.askForHead()).isSameAs(reader);
        assertThat(gate.answered(new Hold(KEY, LockMode.SHARED, lost -> {}))).isEqualTo(Action.NOTHING);
        assertThat(states(reader)).containsExactly(Entry.State.GRANTED);
    }

    /** They can have it only while it is free, and they try only now and then. */
    @Test
    void lockThatOthersHadLast_isLeftFreeForThoseWhoOnlyTry() {
        Gate gate = new Gate(program, KEY);
        Entry first = entry(LockMode.EXCLUSIVE, true);
        Entry second = entry(LockMode.EXCLUSIVE, true);
        assertThat(gate.enter(first)).isEqualTo(Action.ASK);
        assertThat(gate.missed()).isEqualTo(Action.WAIT);
        assertThat(gate.answered(hold())).isEqualTo(Action.NOTHING);
        assertThat(gate.enter(second)).isEqualTo(Action.NOTHING);
        sleep(Duration.ofMillis(80));

        assertThat(gate.leave(first)).isEqualTo(Action.FREE_AND_PAUSE);
        assertThat(gate.pause()).isBetween(MILLISECONDS.toNanos(10), MILLISECONDS.toNanos(50));

        Entry hasty = entry(LockMode.EXCLUSIVE, false);
        assertThat(gate.enter(hasty)).isEqualTo(Action.NOTHING);
        assertThat(states(second, hasty)).containsExactly(Entry.State.QUEUED, Entry.State.MISSED);
        assertThat(gate.free()).isEqualTo(Action.ASK);
        assertThat(gate.answered(hold())).isEqualTo(Action.NOTHING);
        assertThat(states(second)).containsExactly(Entry.State.GRANTED);
    }

    @Test
    void lockThatNobodyElseHasHad_isTakenAgainAtOnce() {
        Gate gate = new Gate(program, KEY);
        Entry first = entry(LockMode.EXCLUSIVE, true);
        assertThat(gate.enter(first)).isEqualTo(Action.ASK);
        assertThat(gate.answered(hold())).isEqualTo(Action.NOTHING);
        assertThat(gate.enter(entry(LockMode.EXCLUSIVE, true))).isEqualTo(Action.NOTHING);
        sleep(Duration.ofMillis(80));
        assertThat(gate.leave(first)).isEqualTo(Action.FREE_AND_ASK);
    }

    @Test
    void retryDelay_growsWithTheTimeMissed() {
        Gate gate = new Gate(program, KEY);
        gate.enter(entry(LockMode.EXCLUSIVE, true));
        long before = System.nanoTime();
        gate.missed();
        assertThat(gate.retryDelayNanos())
                .isLessThanOrEqualTo(Math.max(MILLISECONDS.toNanos(1), (System.nanoTime() - before) / 8));
        sleep(Duration.ofMillis(80));
        assertThat(gate.retryDelayNanos()).isBetween(MILLISECONDS.toNanos(10), MILLISECONDS.toNanos(50));
        sleep(Duration.ofMillis(400));
        assertThat(gate.retryDelayNanos()).isEqualTo(MILLISECONDS.toNanos(50));
    }

    private static Hold hold() {
        return new Hold(KEY, LockMode.EXCLUSIVE, lost -> {});
    }

    private static void sleep(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < end) {
            LockSupport.parkNanos(end - System.nanoTime());
        }
    }

    @Test
    void close_withHoldersAndWaiters_endsThoseWhoWait() {
        enter(LockMode.EXCLUSIVE, true);
        enter(LockMode.SHARED, true);

        program.close();

        assertThat(entries.get(0).state()).isEqualTo(Entry.State.GRANTED);
        assertThat(entries.get(1).state()).isEqualTo(Entry.State.CLOSED);
        enter(LockMode.SHARED, true);
        assertThat(entries.get(2).state()).isEqualTo(Entry.State.CLOSED);
        leave(0);
        nothingIsLeft();
    }

    private void enter(LockMode mode, boolean patient) {
        Entry entry = entry(mode, patient);
        gates.add(program.enter(entry));
        entries.add(entry);
    }

    private static Entry entry(LockMode mode, boolean patient) {
        return new Entry(new Nobody(), SimulatedProgram.ORIGIN, mode, patient, SimulatedProgram.NEVER);
    }

    private static List<Entry.State> states(Entry... of) {
        return Stream.of(of).map(Entry::state).toList();
    }

    private void leave(int number) {
        program.leave(gates.get(number), entries.get(number));
    }

    private void nothingIsLeft() {
        program.checkNothingIsLeft();
        assertThat(program.wrong).isEmpty();
    }

    private static final class Nobody implements Entry.Caller {
        @Override
        public void wake() {
            // The test looks by itself.
        }

        @Override
        public boolean isThisThread() {
            return false;
        }
    }
}
