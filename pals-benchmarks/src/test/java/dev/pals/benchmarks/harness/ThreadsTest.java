package dev.pals.benchmarks.harness;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pals.benchmarks.contender.Contender;
import dev.pals.benchmarks.contender.Contestant;
import dev.pals.benchmarks.contender.Locks;
import dev.pals.benchmarks.contender.Place;
import dev.pals.benchmarks.load.Load;
import dev.pals.benchmarks.load.Loads;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What loads make of locks that exclude, and of some that do not. */
class ThreadsTest {
    private static final long WARM_MILLIS = 50;
    private static final long MILLIS = 200;
    private static final long MUCH_LONGER_THAN_A_TURN = 3_000;

    private Counters counters;

    @BeforeEach
    void open() throws IOException {
        counters = Counters.create();
    }

    @AfterEach
    void close() throws IOException {
        counters.close();
    }

    private Answer.Ran run(String name, Locks locks) throws Exception {
        Load load = Loads.of(name);
        return new Threads(load, 0, Collections.nCopies(load.threads(), locks), counters).run(WARM_MILLIS, MILLIS);
    }

    @Test
    void check_locksExclude_everySectionIsCounted() throws Exception {
        try (Contender fair = Contestant.JDK.open(new Place("", null, 0))) {
            Answer.Ran ran = run(Loads.HOT_8, fair.locks());
            assertThat(ran.sections()).isEqualTo(ran.allCycles());
            assertThat(ran.cycles()).isPositive().isLessThan(ran.allCycles());
            // At most one more for each thread, of the cycle that the end has cut off.
            assertThat(ran.waits().getTotalCount()).isBetween(ran.cycles(), ran.cycles() + 8);
            counters.check(ran.sections());
        }
    }

    @Test
    void run_oneThreadKeepsTheLock_waitsOfTheOthersCount() throws Exception {
        Answer.Ran ran = run(Loads.HOT_8, new NoLocks() {
            private final AtomicInteger asked = new AtomicInteger();
            private final CountDownLatch kept = new CountDownLatch(1);

            @Override
            public void locked(int key, Section section) throws Exception {
                if (asked.incrementAndGet() == 1) {
                    Thread.sleep(MUCH_LONGER_THAN_A_TURN);
                    kept.countDown();
                } else {
                    kept.await();
                }
                section.run();
            }
        });
        assertThat(ran.cycles()).isZero();
        assertThat(ran.waits().getTotalCount()).isEqualTo(8);
        assertThat(ran.waits().getMinValue()).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(MILLIS / 2));
    }

    @Test
    void run_anotherThreadAllocatesForThem_isCounted() throws Exception {
        int bytes = 10_000;
        AtomicReference<byte[]> kept = new AtomicReference<>(new byte[0]);
        ExecutorService background = Executors.newSingleThreadExecutor();
        try {
            Answer.Ran ran = run(Loads.HOT_8, new NoLocks() {
                @Override
                public void locked(int key, Section section) throws Exception {
                    background.submit(() -> kept.set(new byte[bytes])).get();
                    kept.set(new byte[bytes]);
                    section.run();
                }
            });
            assertThat(ran.allocatedBytes() / ran.allCycles()).isBetween(2L * bytes, 3L * bytes);
        } finally {
            background.shutdownNow();
        }
    }

    @Test
    void check_locksDoNotExclude_fails() throws Exception {
        Answer.Ran ran = run("hot-8-1ms", new NoLocks());
        assertThatThrownBy(() -> counters.check(ran.sections()))
                .isInstanceOf(TurnFailedException.class)
                .hasMessageContaining("two threads had the same lock");
    }

    @Test
    void run_readersMeetWriters_fails() {
        assertThatThrownBy(() -> run("readers-64-1ms", new NoLocks()))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("beside a writer");
    }

    @Test
    void run_lockIsNotFree_fails() {
        assertThatThrownBy(() -> run(Loads.OWN_1, new NoLocks() {
                    @Override
                    public boolean tryLocked(int key, Section section) {
                        return false;
                    }
                }))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("was not free");
    }

    @Test
    void counters_ofAnotherProcess_areTheSame() throws Exception {
        Counters theirs = Counters.of(counters.file());
        theirs.set(7, 5);
        theirs.set(8, 1);
        counters.check(6);
        counters.reset();
        assertThat(List.of(theirs.count(7), theirs.count(8))).containsOnly(0L);
    }

    /** Which exclude nobody. */
    private static class NoLocks implements Locks {
        @Override
        public boolean tryLocked(int key, Section section) throws Exception {
            section.run();
            return true;
        }

        @Override
        public void locked(int key, Section section) throws Exception {
            section.run();
        }

        @Override
        public void transaction(int key, Work work) {
            throw new UnsupportedOperationException();
        }
    }
}
