package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.WaitPolicy;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Many threads want several of the same few locks at a time, for ever: nobody may stand still. By default for ten
 * seconds; {@code -Dpals.hunt.seconds=60} for longer, {@code -Dpals.hunt.seed=...} for another run.
 */
@ExtendWith(TestDatabase.Extension.class)
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class DeadlockHuntTest {
    private static final int THREADS = 64;
    private static final int KEYS = 8;
    private static final int SECONDS = Integer.getInteger("pals.hunt.seconds", 10);
    private static final long SEED = Long.getLong("pals.hunt.seed", System.nanoTime());
    /** Within this time, something must have been acquired, and after twice as long by everybody. */
    private static final long STANDSTILL_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final TestDatabase database;

    DeadlockHuntTest(TestDatabase database) {
        this.database = database;
    }

    @AfterEach
    void noAdvisoryRowIsLeft() {
        database.awaitNoAdvisoryRow();
    }

    /** With one session each, neither program has a connection to wait with: both only try. */
    @ParameterizedTest
    @CsvSource({"1, 1", "1, 2", "4, 2"})
    void randomSubsets_ofFewKeys_neverStandStill(int sessions, int programs) throws Exception {
        System.out.printf("deadlock hunt of %d programs with %d sessions: seed %d%n", programs, sessions, SEED);
        try (Locker one = locker(sessions);
                Locker another = locker(sessions)) {
            Hunt hunt = new Hunt(List.of(one, another).subList(0, programs));
            List<Thread> threads = IntStream.range(0, THREADS)
                    .mapToObj(i -> new Thread(() -> hunt.work(i), "hunter-" + i))
                    .toList();
            threads.forEach(Thread::start);
            try {
                hunt.watch(System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS));
            } finally {
                hunt.stop.set(true);
            }
            assertThat(hunt.wrong).isEmpty();
            for (Thread thread : threads) {
                thread.join(PATIENCE.toMillis());
                assertThat(thread.isAlive()).as(thread + " stands still").isFalse();
            }
            System.out.printf("deadlock hunt of %d programs with %d sessions: %s%n", programs, sessions, hunt);
            assertThat(hunt.wrong).isEmpty();
            assertThat(hunt.counts()).as("acquired by each thread").doesNotContain(0L);
            assertThat(hunt.together.get(0))
                    .as("moments at which two shared holders met, so that the counting sees something")
                    .isPositive();
        }
    }

    private Locker locker(int sessions) {
        return Locker.builder("hunt")
                .url(database.url())
                .sessions(sessions)
                .maxSessions(sessions)
                .build();
    }

    private static final class Hunt {
        private final List<Locker> lockers;
        private final List<LockKey> keys = IntStream.range(0, KEYS)
                .mapToObj(i -> LockKey.of("hunt", "key-" + i))
                .toList();
        private final AtomicLongArray acquired = new AtomicLongArray(THREADS);
        private final AtomicIntegerArray writers = new AtomicIntegerArray(KEYS);
        private final AtomicIntegerArray readers = new AtomicIntegerArray(KEYS);
        final AtomicIntegerArray together = new AtomicIntegerArray(1);
        final AtomicBoolean stop = new AtomicBoolean();
        final Queue<String> wrong = new ConcurrentLinkedQueue<>();

        Hunt(List<Locker> lockers) {
            this.lockers = lockers;
        }

        void work(int thread) {
            Random random = new Random(SEED + thread);
            Locker locker = lockers.get(thread % lockers.size());
            while (!stop.get()) {
                try {
                    turn(locker, random);
                    acquired.incrementAndGet(thread);
                } catch (RuntimeException e) {
                    // Also 40P01, PostgreSQL's word for a deadlock that it has ended.
                    wrong.add(e.toString());
                }
            }
        }

        private void turn(Locker locker, Random random) {
            List<Integer> order = IntStream.range(0, KEYS).boxed().collect(Collectors.toList());
            Collections.shuffle(order, random);
            List<Integer> subset = order.subList(0, 1 + random.nextInt(4));
            List<LockKey> wanted = subset.stream().map(keys::get).toList();
            boolean shared = random.nextInt(3) == 0;
            LockRequest request = shared ? locker.shared(wanted) : locker.exclusive(wanted);
            try (LockHandle ignored = request.waiting(WaitPolicy.forever()).acquire()) {
                subset.forEach(key -> enter(key, shared));
                if (random.nextInt(4) == 0) {
                    LockSupport.parkNanos(1);
                }
                subset.forEach(key -> (shared ? readers : writers).decrementAndGet(key));
            }
        }

        private void enter(int key, boolean shared) {
            int inside = (shared ? readers : writers).incrementAndGet(key);
            if (writers.get(key) > (shared ? 0 : 1) || (!shared && readers.get(key) > 0)) {
                wrong.add("not alone with key " + key);
            }
            if (shared && inside > 1) {
                together.incrementAndGet(0);
            }
        }

        /** Returns after the end, or when all stand still, which is noted. */
        void watch(long end) throws InterruptedException {
            long seen = 0;
            long since = System.nanoTime();
            while (System.nanoTime() < end || counts().contains(0L)) {
                TimeUnit.MILLISECONDS.sleep(100);
                long sum = counts().stream().mapToLong(Long::longValue).sum();
                if (sum > seen) {
                    seen = sum;
                    since = System.nanoTime();
                } else if (System.nanoTime() - since > STANDSTILL_NANOS) {
                    wrong.add("nothing was acquired for " + STANDSTILL_NANOS + " ns, after " + this);
                    return;
                }
                if (System.nanoTime() - end > 2 * STANDSTILL_NANOS) {
                    return;
                }
            }
        }

        List<Long> counts() {
            return LongStream.range(0, THREADS)
                    .mapToObj(i -> acquired.get((int) i))
                    .toList();
        }

        @Override
        public String toString() {
            List<Long> counts = counts();
            return counts.stream().mapToLong(Long::longValue).sum() + " acquired, by each thread "
                    + Collections.min(counts) + " to " + Collections.max(counts) + "; shared holders met "
                    + together.get(0) + " times";
        }
    }
}
