package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/** Hours of a lease, on a clock that the test moves, with sessions of a real PostgreSQL. */
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class SimulatedHoursTest extends LockerFixture {
    private static final Duration SHIFT = Duration.ofHours(12);
    /** Real time too, for PostgreSQL: longer than this test pauses. */
    private static final Duration LEASE = Duration.ofSeconds(30);

    private static final Duration CERTAIN = Duration.ofSeconds(27);
    private static final long HEAP_GROWTH = 10_000_000;
    private static final String APP = "simulated-hours";

    private final AtomicLong statements = new AtomicLong();

    SimulatedHoursTest(TestDatabase database) {
        super(database, APP);
    }

    /** Without a pool, whose own checks would be counted. */
    private Locker locker(SimulatedTime time, boolean leased) {
        PGSimpleDataSource plain = new PGSimpleDataSource();
        plain.setUrl(database.url());
        plain.setApplicationName(APP);
        LockerBuilder builder = Locker.builder(APP)
                .dataSource(TracedDataSource.of(plain, what -> statements.incrementAndGet()))
                .sessions(1)
                .ticker(time);
        return opened(leased ? builder.lease(LEASE) : builder);
    }

    /** Has the watchdog look once more, until what it is to ask is asked: the answer before may just be on the way. */
    private void beat(SimulatedTime time) {
        long before = statements.get();
        long giveUp = System.nanoTime() + PATIENCE.toNanos();
        time.pass(time.delay());
        while (statements.get() == before) {
            time.look();
            assertThat(System.nanoTime() - giveUp).as("nanoseconds too long").isNegative();
            Thread.onSpinWait();
        }
    }

    @Test
    void lease_twelveHoursOfHeartbeats_keepsTheLockWithOneConnectionAndNoMemory() {
        SimulatedTime time = new SimulatedTime(0);
        Locker locker = locker(time, true);
        Queue<Exception> losses = new ConcurrentLinkedQueue<>();
        try (LockHandle handle = locker.exclusive(locker.key("shift")).acquire()) {
            handle.onLost(losses::add);
            List<TestDatabase.AdvisoryRow> held = database.advisoryRows();
            for (int i = 0; i < 1_000; i++) {
                beat(time);
            }
            long heapBefore = usedHeap();
            long beatsBefore = statements.get();
            long looks = SHIFT.dividedBy(time.delay());
            assertThat(looks).isEqualTo(4 * 60 * 60 * 12);

            for (long look = 1; look <= looks; look++) {
                beat(time);
                if (look % (looks / 12) == 0) {
                    assertThat(handle.isHeld()).as("after look %s", look).isTrue();
                    assertThat(database.advisoryRows()).isEqualTo(held);
                    assertThat(sessionsOf(APP)).isEqualTo(1);
                }
            }

            // A look that comes just as an answer does may ask once more.
            assertThat(statements.get() - beatsBefore).as("heartbeats").isBetween(looks, looks + looks / 1_000);
            assertThat(time.nanoTime()).isGreaterThan(SHIFT.toNanos());
            assertThat(losses).isEmpty();
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(usedHeap() - heapBefore)
                            .as("bytes of heap that %s heartbeats have left", looks)
                            .isLessThan(HEAP_GROWTH));
        }
    }

    private static long usedHeap() {
        Runtime runtime = Runtime.getRuntime();
        System.gc();
        return runtime.totalMemory() - runtime.freeMemory();
    }

    /** PostgreSQL, whose time is the real one, still has it: the holder knows first. */
    @Test
    void heartbeats_stop_lockIsTakenForLostBeforeTheServersLimit() {
        SimulatedTime time = new SimulatedTime(0);
        Locker locker = locker(time, true);
        LockKey key = locker.key("silent");
        try (LockHandle handle = locker.exclusive(key).acquire()) {
            time.pass(CERTAIN.minusNanos(1));
            assertThat(handle.isHeld()).isTrue();
            time.pass(Duration.ofNanos(1));
            assertThat(handle.isHeld()).isFalse();
            assertThat(CERTAIN).isLessThan(LEASE);
            assertThat(database.isHeld(key)).isTrue();

            // It was no more than silence: the next answer says that it is held after all.
            beat(time);
            await().atMost(PATIENCE).until(handle::isHeld);
        }
    }

    @Test
    void noLease_centuriesOfSilence_changeNothing() {
        SimulatedTime time = new SimulatedTime(0);
        Locker locker = locker(time, false);
        try (LockHandle handle = locker.exclusive(locker.key("unleased")).acquire()) {
            time.pass(Duration.ofDays(100 * 365));
            assertThat(handle.isHeld()).isTrue();
            beat(time);
            assertThat(handle.isHeld()).isTrue();
        }
    }

    /** {@link System#nanoTime()} may begin anywhere, and wraps around after 292 years. */
    @ParameterizedTest
    @ValueSource(
            longs = {
                Long.MIN_VALUE,
                -30_000_000_000L,
                -1,
                Long.MAX_VALUE - 60_000_000_000L,
                Long.MAX_VALUE - 27_000_000_000L,
                Long.MAX_VALUE - 1_000_000_000L,
                Long.MAX_VALUE
            })
    void clock_anyOriginAndAroundItsEnd_isNoDifference(long startNanos) {
        SimulatedTime time = new SimulatedTime(startNanos);
        Locker locker = locker(time, true);
        try (LockHandle handle = locker.exclusive(locker.key("wrapping")).acquire()) {
            long before = statements.get();
            for (int i = 0; i < 300; i++) {
                beat(time);
                await().pollDelay(Duration.ZERO)
                        .pollInterval(Duration.ofMillis(1))
                        .atMost(PATIENCE)
                        .until(handle::isHeld);
            }
            assertThat(statements.get() - before).isBetween(300L, 310L);

            time.pass(CERTAIN.plusSeconds(1));
            assertThat(handle.isHeld()).isFalse();
            beat(time);
            await().atMost(PATIENCE).until(handle::isHeld);
        }
        // What holds nothing goes back, and not at once.
        time.look();
        assertThat(sessionsOf(APP)).isEqualTo(1);
        time.pass(Duration.ofSeconds(2));
        time.look();
        await().atMost(PATIENCE).until(() -> sessionsOf(APP) == 0);
    }
}
