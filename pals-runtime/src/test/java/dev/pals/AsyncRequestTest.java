package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockMode;
import dev.pals.lock.LockTimeoutException;
import dev.pals.lock.LockerClosedException;
import dev.pals.lock.WaitPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/** Requests for which no thread waits. */
final class AsyncRequestTest extends LockerFixture {
    private static final String APP = "async";
    private static final Duration SHORT = Duration.ofMillis(100);
    private static final LockKey KEY = LockKey.of(APP, "key");
    private static final LockKey OTHER = LockKey.of(APP, "other");
    /** Ascending, as requests take them. */
    private static final List<LockKey> BOTH =
            List.of(KEY, OTHER).stream().sorted().toList();

    AsyncRequestTest(TestDatabase database) {
        super(database, APP);
    }

    private static CompletableFuture<LockHandle> acquired(LockRequest request) {
        return request.acquireAsync().toCompletableFuture();
    }

    private static CompletableFuture<Optional<LockHandle>> tried(LockRequest request) {
        return request.tryAcquireAsync().toCompletableFuture();
    }

    private static LockRequest patient(LockRequest request) {
        return request.waiting(WaitPolicy.forever());
    }

    // ---- one request ----

    @ParameterizedTest
    @EnumSource(LockMode.class)
    void acquireAsync_keyIsFree_completesWithTheHeldLock(LockMode mode) {
        Locker locker = locker();
        LockRequest request = mode == LockMode.SHARED ? locker.shared(KEY) : locker.exclusive(KEY);
        assertThat(acquired(request)).succeedsWithin(PATIENCE).satisfies(handle -> {
            assertThat(handle.isHeld()).isTrue();
            assertThat(handle.keys()).containsExactly(KEY);
            assertThat(handle.mode()).isEqualTo(mode);
            assertThat(handle.attempts()).isEqualTo(1);
            assertThat(database.isHeld(KEY)).isTrue();
            handle.close();
        });
        assertThat(database.isHeld(KEY)).isFalse();
    }

    @Test
    void tryAcquireAsync_keyIsFree_completesWithTheHeldLock() {
        assertThat(tried(locker().exclusive(KEY)))
                .succeedsWithin(PATIENCE)
                .satisfies(handle -> assertThat(handle).hasValueSatisfying(held -> {
                    assertThat(database.isHeld(KEY)).isTrue();
                    held.close();
                }));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void acquireAsync_keyIsHeld_completesAfterTheRelease(boolean byAnotherProgram) {
        Locker locker = locker();
        Locker holders = byAnotherProgram ? locker() : locker;
        LockHandle holder = holders.exclusive(KEY).acquire();
        CompletableFuture<LockHandle> waiter = acquired(patient(locker.exclusive(KEY)));
        if (byAnotherProgram) {
            database.awaitWaiter(KEY);
        }
        await().during(SHORT).atMost(PATIENCE).until(() -> !waiter.isDone());
        holder.close();
        assertThat(waiter).succeedsWithin(PATIENCE).satisfies(handle -> {
            assertThat(handle.isHeld()).isTrue();
            assertThat(handle.waited()).isGreaterThanOrEqualTo(SHORT);
            assertThat(database.isHeld(KEY)).isTrue();
            handle.close();
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void acquireAsync_waitRunsOut_failsWithTheTimeout(boolean byAnotherProgram) {
        Locker locker = locker();
        Locker holders = byAnotherProgram ? locker() : locker;
        try (LockHandle ignored = holders.exclusive(KEY).acquire()) {
            CompletableFuture<LockHandle> waiter =
                    acquired(locker.exclusive(KEY).waitAtMost(SHORT));
            assertThat(waiter)
                    .failsWithin(PATIENCE)
                    .withThrowableThat()
                    .withCauseInstanceOf(LockTimeoutException.class);
            assertThatThrownBy(waiter::join)
                    .isInstanceOf(CompletionException.class)
                    .cause()
                    .isInstanceOfSatisfying(LockTimeoutException.class, timeout -> {
                        assertThat(timeout.keys()).containsExactly(KEY);
                        assertThat(timeout.waited()).isGreaterThanOrEqualTo(SHORT);
                        assertThat(timeout.attempts()).isPositive();
                    });
            await().atMost(PATIENCE).until(() -> database.rowsOf(KEY).size() == 1);
        }
        assertIsFree(locker, KEY);
    }

    @Test
    void acquireAsync_lockersDefaultWait_isUsed() {
        Locker locker = opened(builder().waitAtMost(SHORT));
        try (LockHandle ignored = locker.exclusive(KEY).acquire()) {
            assertThat(acquired(locker.exclusive(KEY)))
                    .failsWithin(PATIENCE)
                    .withThrowableThat()
                    .withCauseInstanceOf(LockTimeoutException.class);
        }
    }

    @Test
    void tryAcquireAsync_keyIsHeld_completesEmptyWithoutWaiting() {
        Locker locker = opened(builder().waiting(WaitPolicy.forever()));
        try (LockHandle ignored = locker.exclusive(KEY).acquire()) {
            // With the locker's wait this would never end.
            assertThat(tried(locker.exclusive(KEY))).succeedsWithin(PATIENCE).isEqualTo(Optional.empty());
        }
    }

    @Test
    void tryAcquireAsync_requestSaysWait_waits() {
        Locker locker = locker();
        LockHandle holder = locker.exclusive(KEY).acquire();
        assertThat(tried(locker.exclusive(KEY).waitAtMost(SHORT)))
                .succeedsWithin(PATIENCE)
                .isEqualTo(Optional.empty());
        CompletableFuture<Optional<LockHandle>> waiter = tried(patient(locker.exclusive(KEY)));
        await().during(SHORT).atMost(PATIENCE).until(() -> !waiter.isDone());
        holder.close();
        assertThat(waiter)
                .succeedsWithin(PATIENCE)
                .satisfies(handle -> assertThat(handle).hasValueSatisfying(LockHandle::close));
    }

    @Test
    void acquireAsync_polling_triesUntilTheReleaseOrItsTimeout() {
        Locker locker = locker();
        LockHandle holder = locker().exclusive(KEY).acquire();
        LockRequest request = locker.exclusive(KEY);
        assertThat(acquired(request.waiting(WaitPolicy.polling(Duration.ofMillis(10), SHORT))))
                .failsWithin(PATIENCE)
                .withThrowableThat()
                .havingCause()
                .isInstanceOfSatisfying(LockTimeoutException.class, timeout -> {
                    assertThat(timeout.attempts()).isBetween(2, 12);
                    assertThat(timeout.waited()).isGreaterThanOrEqualTo(SHORT);
                });
        CompletableFuture<LockHandle> poller =
                acquired(request.waiting(WaitPolicy.polling(Duration.ofMillis(10), PATIENCE)));
        await().during(SHORT).atMost(PATIENCE).until(() -> !poller.isDone());
        assertThat(database.rowsOf(KEY)).as("it does not queue").hasSize(1);
        holder.close();
        assertThat(poller).succeedsWithin(PATIENCE).satisfies(handle -> {
            assertThat(handle.attempts()).isGreaterThan(1);
            handle.close();
        });
    }

    // ---- several keys ----

    @Test
    void acquireAsync_severalKeys_takesAllAndReleasesAll() {
        Locker locker = locker();
        assertThat(acquired(locker.exclusive(OTHER, KEY)))
                .succeedsWithin(PATIENCE)
                .satisfies(handle -> {
                    assertThat(handle.keys()).isEqualTo(BOTH);
                    assertThat(database.advisoryRows()).hasSize(2);
                    handle.close();
                });
        assertThat(database.advisoryRows()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void acquireAsync_oneOfSeveralKeysIsHeld_waitsForIt(int held) {
        Locker locker = locker();
        LockHandle holder = locker().exclusive(BOTH.get(held)).acquire();
        CompletableFuture<LockHandle> waiter = acquired(patient(locker.exclusive(BOTH)));
        database.awaitWaiter(BOTH.get(held));
        assertThat(tried(locker.exclusive(BOTH))).succeedsWithin(PATIENCE).isEqualTo(Optional.empty());
        assertThat(waiter).isNotDone();
        holder.close();
        assertThat(waiter).succeedsWithin(PATIENCE).satisfies(LockHandle::close);
        assertIsFree(locker, BOTH.get(0));
        assertIsFree(locker, BOTH.get(1));
    }

    @Test
    void acquireAsync_manyRequestsForRandomPairs_allHaveTheirTurnAlone() {
        List<Locker> lockers = List.of(locker(), locker());
        List<LockKey> keys = IntStream.range(0, 5)
                .mapToObj(i -> LockKey.of(APP, "pair-" + i))
                .toList();
        List<AtomicInteger> inside =
                keys.stream().map(key -> new AtomicInteger()).toList();
        AtomicInteger wrong = new AtomicInteger();
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            int one = i % 5;
            int two = (i / 5 + one + 1) % 5;
            LockRequest request = patient(lockers.get(i % 2).exclusive(keys.get(one), keys.get(two)));
            all.add(acquired(request).thenAccept(handle -> {
                try (handle) {
                    if (inside.get(one).incrementAndGet() != 1
                            || (two != one && inside.get(two).incrementAndGet() != 1)) {
                        wrong.incrementAndGet();
                    }
                    LockSupport.parkNanos(1);
                    inside.get(one).set(0);
                    inside.get(two).set(0);
                }
            }));
        }
        assertThat(CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)))
                .succeedsWithin(PATIENCE);
        assertThat(wrong).hasValue(0);
    }

    // ---- a thousand waiters ----

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void acquireAsync_aThousandWaiters_needNoThreadsAndHaveTheirTurnsInOrder(boolean heldByAnotherProgram) {
        int waiters = 1_000;
        String app = APP + "-thousand-" + heldByAnotherProgram;
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setURL(database.url());
        dataSource.setApplicationName(app);
        Locker locker = opened(Locker.builder(app).dataSource(dataSource).sessions(1));
        Locker holders = heldByAnotherProgram ? locker() : locker;
        // Which opens the session.
        locker.exclusive(KEY).acquire().close();
        int sessionsBefore = sessionsOf(app);
        assertThat(sessionsBefore).isEqualTo(1);
        LockHandle holder = holders.exclusive(KEY).acquire();
        int threadsBefore = liveThreads();

        AtomicInteger inside = new AtomicInteger();
        AtomicInteger wrong = new AtomicInteger();
        Queue<Integer> order = new ConcurrentLinkedQueue<>();
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (int i = 0; i < waiters; i++) {
            int number = i;
            all.add(acquired(patient(locker.exclusive(KEY))).thenAccept(handle -> {
                try (handle) {
                    if (inside.incrementAndGet() != 1) {
                        wrong.incrementAndGet();
                    }
                    order.add(number);
                    inside.decrementAndGet();
                }
            }));
        }
        if (heldByAnotherProgram) {
            database.awaitWaiter(KEY);
        }
        await().during(SHORT)
                .atMost(PATIENCE)
                .until(() -> database.rowsOf(KEY).size() == (heldByAnotherProgram ? 2 : 1));
        assertThat(liveThreads() - threadsBefore).isLessThan(60);
        assertThat(sessionsOf(app) - sessionsBefore).isLessThanOrEqualTo(1);
        assertThat(all).noneMatch(CompletableFuture::isDone);

        holder.close();
        assertThat(CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)))
                .succeedsWithin(PATIENCE);
        assertThat(wrong).hasValue(0);
        assertThat(order)
                .containsExactlyElementsOf(IntStream.range(0, waiters).boxed().toList());
    }

    private static int liveThreads() {
        return Thread.getAllStackTraces().size();
    }

    // ---- cancelling ----

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void cancel_waitingRequest_leavesAndTheNextHasTheLock(boolean heldByAnotherProgram) {
        Locker locker = locker();
        Locker holders = heldByAnotherProgram ? locker() : locker;
        LockHandle holder = holders.exclusive(KEY).acquire();
        CompletableFuture<LockHandle> first = acquired(patient(locker.exclusive(KEY)));
        CompletableFuture<LockHandle> second = acquired(patient(locker.exclusive(KEY)));
        if (heldByAnotherProgram) {
            database.awaitWaiter(KEY);
        }
        assertThat(first.cancel(true)).isTrue();
        assertThat(first).isCancelled();
        await().during(SHORT).atMost(PATIENCE).until(() -> !second.isDone());
        holder.close();
        assertThat(second).succeedsWithin(PATIENCE).satisfies(LockHandle::close);
        assertIsFree(locker, KEY);
    }

    @Test
    void cancel_onlyRequestThatWaitsInPostgres_leavesItsQueueWhileTheHolderHolds() {
        Locker locker = locker();
        try (LockHandle ignored = locker().exclusive(KEY).acquire()) {
            CompletableFuture<LockHandle> waiter = acquired(patient(locker.exclusive(KEY)));
            database.awaitWaiter(KEY);
            waiter.cancel(true);
            await().atMost(Duration.ofSeconds(5))
                    .until(() -> database.rowsOf(KEY).size() == 1);
        }
    }

    @Test
    void cancel_requestWithOneOfTwoKeys_givesItBack() {
        Locker locker = locker();
        try (LockHandle ignored = locker().exclusive(BOTH.get(1)).acquire()) {
            CompletableFuture<LockHandle> waiter = acquired(patient(locker.exclusive(BOTH)));
            database.awaitWaiter(BOTH.get(1));
            assertThat(database.isHeld(BOTH.get(0))).isTrue();
            waiter.cancel(true);
            await().atMost(PATIENCE).until(() -> !database.isHeld(BOTH.get(0)));
        }
        assertIsFree(locker, BOTH.get(1));
    }

    @Test
    void cancel_pollingRequest_leaves() {
        Locker locker = locker();
        CompletableFuture<LockHandle> poller;
        try (LockHandle ignored = locker.exclusive(KEY).acquire()) {
            poller = acquired(locker.exclusive(KEY).waiting(WaitPolicy.polling(Duration.ofMillis(5), PATIENCE)));
            await().during(Duration.ofMillis(30)).atMost(PATIENCE).until(() -> !poller.isDone());
            poller.cancel(true);
        }
        assertIsFree(locker, KEY);
        assertThat(poller).isCancelled();
    }

    /** As {@code orTimeout} does it; the request has no other sign that nobody wants its locks. */
    @Test
    void stage_failedByTheProgram_leavesTheQueueWhileTheHolderHolds() {
        Locker locker = locker();
        try (LockHandle ignored = locker().exclusive(KEY).acquire()) {
            CompletableFuture<LockHandle> waiter = acquired(patient(locker.exclusive(KEY)));
            database.awaitWaiter(KEY);
            assertThat(waiter.orTimeout(SHORT.toMillis(), TimeUnit.MILLISECONDS))
                    .failsWithin(PATIENCE)
                    .withThrowableThat()
                    .withCauseInstanceOf(TimeoutException.class);
            await().atMost(Duration.ofSeconds(5))
                    .until(() -> database.rowsOf(KEY).size() == 1);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void cancel_whileTheLockIsGranted_leavesNothingHeld(boolean heldByAnotherProgram) throws Exception {
        Locker locker = locker();
        Locker holders = heldByAnotherProgram ? locker() : locker;
        int granted = 0;
        int cancelled = 0;
        for (int round = 0; round < 250; round++) {
            LockHandle holder = holders.exclusive(KEY).acquire(PATIENCE);
            CompletableFuture<LockHandle> waiter = acquired(patient(locker.exclusive(KEY)));
            CountDownLatch go = new CountDownLatch(1);
            Future<Boolean> closed = inBackground(() -> {
                awaitZero(go);
                holder.close();
                return true;
            });
            go.countDown();
            pause(round % 50);
            if (waiter.cancel(true)) {
                cancelled++;
            } else {
                granted++;
                waiter.get().close();
            }
            assertThat(closed.get()).isTrue();
            // What is left behind is in the way of the next, in this program or in another.
            Optional<LockHandle> next =
                    (round % 2 == 0 ? holders : locker).exclusive(KEY).tryAcquire(PATIENCE);
            assertThat(next).as("round %d", round).hasValueSatisfying(LockHandle::close);
        }
        assertThat(cancelled).as("cancelled, and %d granted", granted).isPositive();
        assertThat(granted).as("granted, and %d cancelled", cancelled).isPositive();
    }

    /** Spins, to hit each moment of the hand-over in some round. */
    private static void pause(int tensOfMicros) {
        long end = System.nanoTime() + TimeUnit.MICROSECONDS.toNanos(40L * tensOfMicros);
        while (System.nanoTime() - end < 0) {
            Thread.onSpinWait();
        }
    }

    // ---- closing the locker ----

    @Test
    void lockerClose_waitingRequests_failAllWithLockerClosed() {
        Locker locker = locker();
        LockHandle own = locker.exclusive(OTHER).acquire();
        LockHandle anothers = locker().exclusive(KEY).acquire();
        List<CompletableFuture<LockHandle>> waiters = new ArrayList<>();
        waiters.add(acquired(patient(locker.exclusive(KEY))));
        database.awaitWaiter(KEY);
        waiters.add(acquired(patient(locker.exclusive(KEY))));
        waiters.add(acquired(patient(locker.exclusive(OTHER))));
        waiters.add(acquired(patient(locker.exclusive(OTHER, KEY))));
        waiters.add(acquired(locker.exclusive(OTHER).waiting(WaitPolicy.polling(PATIENCE, Duration.ofHours(1)))));
        for (int i = 0; i < 50; i++) {
            waiters.add(acquired(locker.exclusive(OTHER).waitAtMost(Duration.ofHours(1))));
        }
        await().during(SHORT).atMost(PATIENCE).until(() -> waiters.stream().noneMatch(CompletableFuture::isDone));

        locker.close();
        assertThat(waiters)
                .allSatisfy(waiter -> assertThat(waiter)
                        .failsWithin(PATIENCE)
                        .withThrowableThat()
                        .withCauseInstanceOf(LockerClosedException.class));
        await().atMost(PATIENCE).until(() -> database.advisoryRows().size() == 1);
        own.close();
        anothers.close();
    }

    @Test
    void lockerClose_whileManyAskAtOnce_endsAllAndLeavesNothing() throws Exception {
        for (int round = 0; round < 3; round++) {
            Locker locker = locker();
            Queue<CompletableFuture<LockHandle>> asked = new ConcurrentLinkedQueue<>();
            Future<Boolean> asking = inBackground(() -> {
                try {
                    for (int i = 0; i < 100_000; i++) {
                        CompletableFuture<LockHandle> waiter =
                                acquired(patient(locker.exclusive(LockKey.of(APP, "closing-" + i % 7))));
                        asked.add(waiter);
                        var unused = waiter.thenAccept(LockHandle::close);
                    }
                    return false;
                } catch (LockerClosedException e) {
                    return true;
                }
            });
            await().pollDelay(Duration.ofMillis(5)).atMost(PATIENCE).until(() -> asked.size() > 200);
            locker.close();
            assertThat(asking).succeedsWithin(PATIENCE).isEqualTo(true);
            CompletableFuture<?>[] ended = asked.stream()
                    .map(waiter -> waiter.handle((handle, failure) -> failure))
                    .toArray(CompletableFuture[]::new);
            assertThat(CompletableFuture.allOf(ended)).succeedsWithin(PATIENCE);
            assertThat(Stream.of(ended).map(CompletableFuture::join))
                    .as("granted, or told why not")
                    .allSatisfy(failure -> assertThat(failure)
                            .satisfiesAnyOf(
                                    none -> assertThat(none).isNull(),
                                    why -> assertThat(why).isInstanceOf(LockerClosedException.class)));
            database.awaitNoAdvisoryRow();
        }
    }

    @Test
    void lockerClose_thenUse_throwsLockerClosed() {
        Locker locker = locker();
        LockRequest request = locker.exclusive(KEY);
        locker.close();
        assertThatThrownBy(request::acquireAsync)
                .isInstanceOf(LockerClosedException.class)
                .hasMessageContaining(APP);
        assertThatThrownBy(request::tryAcquireAsync).isInstanceOf(LockerClosedException.class);
    }

    // ---- what hangs on the stage ----

    /** More of them than the machine has processors, and than the locker has threads for such requests. */
    @Test
    void dependents_thatBlock_doNotKeepOtherRequests() {
        int blockers = 40;
        Locker locker = locker();
        CountDownLatch blocked = new CountDownLatch(blockers);
        CountDownLatch goOn = new CountDownLatch(1);
        List<CompletableFuture<Void>> all = new ArrayList<>();
        try {
            for (int i = 0; i < blockers; i++) {
                all.add(acquired(locker.exclusive(LockKey.of(APP, "blocker-" + i)))
                        .thenAccept(handle -> {
                            try (handle) {
                                blocked.countDown();
                                awaitZero(goOn);
                            }
                        }));
            }
            awaitZero(blocked);
            LockHandle free = acquired(locker.exclusive(KEY)).join();
            CompletableFuture<LockHandle> waiter = acquired(patient(locker.exclusive(KEY)));
            free.close();
            assertThat(waiter).succeedsWithin(PATIENCE).satisfies(LockHandle::close);
            assertThat(tried(locker.exclusive(LockKey.of(APP, "blocker-0"))))
                    .succeedsWithin(PATIENCE)
                    .isEqualTo(Optional.empty());
        } finally {
            goOn.countDown();
        }
        assertThat(CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)))
                .succeedsWithin(PATIENCE);
    }

    @Test
    void dependent_thatThrows_doesNotKeepTheLockFromOthers() {
        Locker locker = locker();
        CompletableFuture<Void> throwing = acquired(locker.exclusive(KEY)).thenAccept(handle -> {
            try (handle) {
                throw new IllegalStateException("on purpose");
            }
        });
        assertThat(throwing).failsWithin(PATIENCE).withThrowableThat().withMessageContaining("on purpose");
        assertIsFree(locker, KEY);
    }

    @Test
    void acquireAsync_callerIsInterrupted_doesNotMind() {
        Locker locker = locker();
        Thread.currentThread().interrupt();
        CompletableFuture<LockHandle> waiter = acquired(locker.exclusive(KEY));
        assertThat(Thread.interrupted()).isTrue();
        assertThat(waiter).succeedsWithin(PATIENCE).satisfies(LockHandle::close);
    }

    @Test
    void acquireAsync_besideThreadsThatWait_areServedTogether() throws Exception {
        Locker locker = locker();
        AtomicInteger served = new AtomicInteger();
        List<Future<?>> all = new ArrayList<>();
        try (LockHandle ignored = locker.exclusive(KEY).acquire()) {
            for (int i = 0; i < 20; i++) {
                all.add(inBackground(() -> {
                    patient(locker.exclusive(KEY)).run(served::incrementAndGet);
                    return true;
                }));
                all.add(acquired(patient(locker.exclusive(KEY))).thenAccept(handle -> {
                    try (handle) {
                        served.incrementAndGet();
                    }
                }));
            }
        }
        for (Future<?> each : all) {
            assertThat(each).succeedsWithin(PATIENCE);
        }
        assertThat(served).hasValue(40);
    }

    private static void assertIsFree(Locker locker, LockKey key) {
        assertThat(locker.exclusive(key).tryAcquire(PATIENCE)).hasValueSatisfying(LockHandle::close);
    }
}
