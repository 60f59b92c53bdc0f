package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import dev.pals.TestDatabase.AdvisoryRow;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockInterruptedException;
import dev.pals.lock.LockLostException;
import dev.pals.lock.LockTimeoutException;
import dev.pals.lock.WaitPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Many locks on few sessions, hand-offs, and what happens when a session dies. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class EngineTest extends LockerFixture {
    EngineTest(TestDatabase database) {
        super(database, "engine");
    }

    // ---- few sessions ----

    @Test
    void locks_ofManyThreads_areHeldByAsFewSessionsAsSaid() throws Exception {
        Locker locker = opened(builder().sessions(2).maxSessions(4));
        List<LockHandle> held = new ArrayList<>();
        Queue<LockHandle> fromThreads = new ConcurrentLinkedQueue<>();
        inEachOf(
                16,
                i -> fromThreads.add(locker.exclusive(locker.key("thread-" + i)).acquire()));
        held.addAll(fromThreads);

        assertThat(locksBySession().values()).hasSizeBetween(1, 2);
        assertThat(locksBySession().values().stream()
                        .mapToInt(Integer::intValue)
                        .sum())
                .isEqualTo(16);
        held.forEach(LockHandle::close);
        assertThat(database.advisoryRows()).isEmpty();
    }

    @Test
    void locks_beyondSomeHundred_areSpreadOverMoreSessions() {
        Locker locker = opened(builder().sessions(1).maxSessions(4).lockBudget(2_000));
        List<LockHandle> held = IntStream.range(0, 1_300)
                .mapToObj(i -> locker.exclusive(locker.key("many-" + i)).acquire())
                .toList();

        assertThat(locksBySession()).hasSize(3);
        assertThat(locksBySession().values()).allMatch(locks -> locks <= 600);
        held.forEach(LockHandle::close);
        assertThat(database.advisoryRows()).isEmpty();
    }

    @Test
    void waiters_aThousandOfOneKey_useOneConnectionBesides() throws Exception {
        Locker locker = opened(builder().sessions(1).maxSessions(10));
        LockKey key = locker.key("popular");
        AtomicInteger done = new AtomicInteger();
        List<Thread> waiters;
        try (LockHandle ignored = locker().exclusive(key).acquire()) {
            waiters = IntStream.range(0, 1_000)
                    .mapToObj(i -> new Thread(() ->
                            locker.exclusive(key).waiting(WaitPolicy.forever()).run(done::incrementAndGet)))
                    .toList();
            waiters.forEach(Thread::start);
            await().atMost(PATIENCE)
                    .until(() -> waiters.stream().allMatch(thread -> thread.getState() == Thread.State.WAITING));
            assertThat(database.rowsOf(key))
                    .as("the holder, and one who waits for a thousand")
                    .hasSize(2);
        }
        for (Thread waiter : waiters) {
            waiter.join(PATIENCE.toMillis());
        }
        assertThat(done).hasValue(1_000);
    }

    @Test
    void asManySessionsAsConnections_oneIsLeftForWaiting() throws Exception {
        Locker locker = opened(builder().sessions(3).maxSessions(3).lockBudget(2_000));
        List<LockHandle> held = new ArrayList<>();
        for (int from = 0; from < 1_200; from += 100) {
            List<LockKey> keys = IntStream.range(from, from + 100)
                    .mapToObj(i -> locker.key("kept-" + i))
                    .toList();
            inEachOf(1, i -> held.add(locker.exclusive(keys).acquire()));
        }
        assertThat(locksBySession()).hasSize(2);

        LockKey key = locker.key("waited-for");
        LockHandle other = locker().exclusive(key).acquire();
        Future<LockHandle> waiter = inBackground(() -> locker.exclusive(key).acquire(PATIENCE));
        database.awaitWaiter(key);
        other.close();
        waiter.get().close();
        held.forEach(LockHandle::close);
    }

    /** As long as the lock is held for short, so that nobody is kept for long; then at ease. */
    @Test
    void requestWithoutAConnectionToWaitWith_triesOftenAtFirst() {
        Locker locker = opened(builder().maxSessions(1));
        LockKey key = locker.key("tried");
        try (LockHandle ignored = locker().exclusive(key).acquire()) {
            assertThat(attemptsWithin(Duration.ofMillis(300), locker, key)).isBetween(25, 150);
            assertThat(attemptsWithin(Duration.ofSeconds(2), locker, key)).isLessThan(150);
        }
    }

    private static int attemptsWithin(Duration wait, Locker locker, LockKey key) {
        return catchThrowableOfType(
                        LockTimeoutException.class, () -> locker.exclusive(key).acquire(wait))
                .attempts();
    }

    private Map<Integer, Integer> locksBySession() {
        return database.advisoryRows().stream()
                .collect(Collectors.groupingBy(AdvisoryRow::pid, Collectors.summingInt(row -> 1)));
    }

    // ---- hand-offs ----

    /**
     * A turn takes longer than its thread then takes to queue again, so this program always has waiters: without the
     * bound of hand-offs, the other would wait for as long as they go on; and without pauses, if it can only try.
     */
    @ParameterizedTest
    @ValueSource(ints = {1, 10})
    void busyKey_waiterOfAnotherProgram_hasItsTurn(int maxSessions) throws Exception {
        Locker busy = opened(builder().maxSessions(maxSessions));
        Locker other = opened(builder().maxSessions(maxSessions));
        LockKey key = busy.key("busy");
        AtomicBoolean stop = new AtomicBoolean();
        LongAdder turns = new LongAdder();
        List<Thread> threads = IntStream.range(0, 8)
                .mapToObj(i -> new Thread(() -> {
                    while (!stop.get()) {
                        busy.exclusive(key).run(() -> {
                            turns.increment();
                            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
                        });
                    }
                }))
                .toList();
        threads.forEach(Thread::start);
        await().atMost(PATIENCE).until(() -> turns.sum() > 500);
        try {
            for (int i = 0; i < 20; i++) {
                assertThat(other.exclusive(key).tryAcquire(PATIENCE)).hasValueSatisfying(LockHandle::close);
            }
        } finally {
            stop.set(true);
            for (Thread thread : threads) {
                thread.join(PATIENCE.toMillis());
            }
        }
    }

    // ---- lost sessions ----

    @Test
    void session_terminated_isKnownToItsHandlesWithoutAskingThem() {
        Locker locker = opened(builder().sessions(1));
        LockKey key = locker.key("terminated");
        LockHandle first = locker.exclusive(key).acquire();
        LockHandle second = locker.shared(locker.key("on-the-same-session")).acquire();
        database.terminateHolder(key);

        await().atMost(PATIENCE).until(() -> !first.isHeld() && !second.isHeld());

        try (LockHandle next = locker.exclusive(key).acquire()) {
            assertThat(next.isHeld()).isTrue();
            assertThatThrownBy(first::close).isInstanceOf(LockLostException.class);
            assertThatThrownBy(second::close).isInstanceOf(LockLostException.class);
            first.close();
            assertThat(database.isHeld(key))
                    .as("the next holder's lock is its own")
                    .isTrue();
        }
    }

    // ---- any mixture ----

    @ParameterizedTest
    @ValueSource(ints = {1, 4})
    void randomSubsets_withInterrupts_excludeAndProgressAndLeaveNothing(int maxSessions) throws Exception {
        List<Locker> both = List.of(
                opened(builder().sessions(Math.min(2, maxSessions)).maxSessions(maxSessions)),
                opened(builder().sessions(1).maxSessions(maxSessions)));
        Mixture mixture = new Mixture(both);
        List<Thread> threads = IntStream.range(0, 32)
                .mapToObj(i -> new Thread(() -> mixture.work(new Random(i))))
                .toList();
        threads.forEach(Thread::start);
        Random random = new Random(maxSessions);
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(6);
        while (System.nanoTime() < end) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(3));
            threads.get(random.nextInt(threads.size())).interrupt();
        }
        mixture.stop.set(true);
        for (Thread thread : threads) {
            thread.join(PATIENCE.toMillis());
            assertThat(thread.isAlive()).as("stuck").isFalse();
        }
        assertThat(mixture.wrong).isEmpty();
        assertThat(mixture.granted.sum()).isGreaterThan(100);
        assertThat(mixture.missed.sum()).isPositive();
        assertThat(mixture.interrupted.sum()).isPositive();
    }

    /** Threads that take random subsets of eight keys in every way, and see whether they are alone. */
    private static final class Mixture {
        private static final int KEYS = 8;

        private final List<Locker> lockers;
        private final List<LockKey> keys;
        private final AtomicIntegerArray writers = new AtomicIntegerArray(KEYS);
        private final AtomicIntegerArray readers = new AtomicIntegerArray(KEYS);
        final AtomicBoolean stop = new AtomicBoolean();
        final LongAdder granted = new LongAdder();
        final LongAdder missed = new LongAdder();
        final LongAdder interrupted = new LongAdder();
        final Queue<String> wrong = new ConcurrentLinkedQueue<>();

        Mixture(List<Locker> lockers) {
            this.lockers = lockers;
            this.keys = IntStream.range(0, KEYS)
                    .mapToObj(i -> LockKey.of("engine", "mixed-" + i))
                    .toList();
        }

        void work(Random random) {
            while (!stop.get()) {
                try {
                    turn(random);
                } catch (LockInterruptedException e) {
                    interrupted.increment();
                    assertThat(Thread.interrupted()).isTrue();
                } catch (RuntimeException e) {
                    wrong.add(e.toString());
                }
            }
        }

        private void turn(Random random) {
            List<Integer> subset = random.ints(1 + random.nextInt(3), 0, KEYS)
                    .distinct()
                    .boxed()
                    .toList();
            List<LockKey> wanted = subset.stream().map(keys::get).toList();
            Locker locker = lockers.get(random.nextInt(lockers.size()));
            boolean shared = random.nextInt(3) == 0;
            LockRequest request = shared ? locker.shared(wanted) : locker.exclusive(wanted);
            Optional<LockHandle> handle = taken(request, random);
            if (handle.isEmpty()) {
                missed.increment();
                return;
            }
            try (LockHandle ignored = handle.get()) {
                subset.forEach(i -> enter(i, shared));
                LockSupport.parkNanos(random.nextInt(4) == 0 ? random.nextInt(2_000_000) : 1);
                subset.forEach(i -> (shared ? readers : writers).decrementAndGet(i));
            }
            granted.increment();
        }

        private static Optional<LockHandle> taken(LockRequest request, Random random) {
            return switch (random.nextInt(8)) {
                case 0 -> request.tryAcquire();
                case 1 -> request.tryAcquire(Duration.ofMillis(random.nextInt(20)));
                case 2 ->
                    request.waiting(WaitPolicy.polling(Duration.ofMillis(2), Duration.ofMillis(50)))
                            .tryAcquire();
                default -> Optional.of(request.waiting(WaitPolicy.forever()).acquire());
            };
        }

        private void enter(int key, boolean shared) {
            int inside = (shared ? readers : writers).incrementAndGet(key);
            if (writers.get(key) > (shared ? 0 : 1) || (!shared && (inside > 1 || readers.get(key) > 0))) {
                wrong.add("not alone with key " + key);
            }
        }
    }

    // ---- virtual threads ----

    @Test
    void virtualThreads_thousands_takeTurnsAndSurviveInterrupts() throws Exception {
        Optional<ExecutorService> virtual = VirtualThreads.executor();
        assumeThat(virtual)
                .as("virtual threads, which this JDK, " + Runtime.version() + ", does not have")
                .isPresent();
        Locker locker = opened(builder().sessions(2));
        int threads = 10_000;
        CountDownLatch done = new CountDownLatch(threads);
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger served = new AtomicInteger();
        AtomicInteger interrupted = new AtomicInteger();
        AtomicReferenceArray<Thread> running = new AtomicReferenceArray<>(threads);
        Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
        try (LockHandle bystander = locker.exclusive(locker.key("bystander")).acquire()) {
            ExecutorService executor = virtual.orElseThrow();
            for (int i = 0; i < threads; i++) {
                int number = i;
                executor.execute(() -> {
                    try {
                        running.set(number, Thread.currentThread());
                        locker.exclusive(locker.key("virtual-" + number % 500))
                                .waiting(WaitPolicy.forever())
                                .run(() -> {
                                    if (number % 500 == 0 && inside.incrementAndGet() != 1) {
                                        failures.add(new AssertionError("not alone"));
                                    }
                                    served.incrementAndGet();
                                    if (number % 500 == 0) {
                                        inside.decrementAndGet();
                                    }
                                });
                    } catch (LockInterruptedException e) {
                        interrupted.incrementAndGet();
                    } catch (RuntimeException | Error e) {
                        failures.add(e);
                    } finally {
                        done.countDown();
                    }
                });
            }
            Random random = new Random(1);
            while (!done.await(1, TimeUnit.MILLISECONDS)) {
                // In whatever it is doing: an interrupt in the session's own input would cut its connection.
                Optional.ofNullable(running.get(random.nextInt(threads))).ifPresent(Thread::interrupt);
            }
            executor.shutdown();
            assertThat(failures).isEmpty();
            assertThat(served.get() + interrupted.get()).isEqualTo(threads);
            assertThat(interrupted).hasPositiveValue();
            assertThat(bystander.isHeld()).isTrue();
        }
    }
}
