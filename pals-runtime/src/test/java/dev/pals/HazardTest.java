package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import dev.pals.key.LockKey;
import dev.pals.lock.LockException;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockInterruptedException;
import dev.pals.lock.LockTimeoutException;
import dev.pals.lock.SessionUnavailableException;
import dev.pals.lock.WaitPolicy;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * Rare orders of events: what ends, fails or is interrupted at a bad moment leaves no key stuck, and nobody with a lock
 * that is lost.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class HazardTest extends LockerFixture {
    HazardTest(TestDatabase database) {
        super(database, "hazard");
    }

    @Test
    void firstOfTwoIsLostWhileWaitingForTheSecond_acquireDoesNotSucceed() throws Exception {
        Locker locker = opened(builder().sessions(1));
        Locker other = locker();
        LockHandle onTheSameSession = locker.exclusive(locker.key("c")).acquire();
        List<LockKey> keys =
                Stream.of(locker.key("a"), locker.key("b")).sorted().toList();
        LockHandle second = other.exclusive(keys.get(1)).acquire();
        Future<LockHandle> both =
                inBackground(() -> locker.exclusive(keys).waitAtMost(PATIENCE).acquire());
        database.awaitWaiter(keys.get(1));
        database.terminateHolder(keys.get(0));
        LockHandle first = other.exclusive(keys.get(0)).acquire();
        await().atMost(PATIENCE).until(() -> !onTheSameSession.isHeld());
        second.close();
        Optional<LockHandle> outcome;
        try {
            outcome = Optional.of(both.get(20, TimeUnit.SECONDS));
        } catch (ExecutionException e) {
            assertThat(e).hasCauseInstanceOf(LockException.class);
            outcome = Optional.empty();
        }
        assertThat(first.isHeld()).isTrue();
        assertThat(outcome).as("two holders of " + keys.get(0)).isEmpty();
    }

    @Test
    void asyncHandleForgotten_isReleased() {
        Locker locker = locker();
        LockKey key = locker.key("forgotten-async");
        forget(locker, key);
        await().atMost(Duration.ofSeconds(10)).until(() -> {
            System.gc();
            return database.rowsOf(key).isEmpty();
        });
    }

    private void forget(Locker locker, LockKey key) {
        assertThat(locker.exclusive(key)
                        .acquireAsync()
                        .toCompletableFuture()
                        .join()
                        .isHeld())
                .isTrue();
    }

    @Test
    void sharedSessionIdleForALease_whileAWaiterHolds_nextRequestWorks() throws Exception {
        Locker locker = opened(builder().lease(Duration.ofSeconds(2)));
        Locker other = locker();
        LockKey key = locker.key("held-by-waiter");
        LockHandle before = other.exclusive(key).acquire();
        Future<LockHandle> waiting = inBackground(() -> locker.exclusive(key).acquire());
        database.awaitWaiter(key);
        before.close();
        try (LockHandle held = waiting.get(20, TimeUnit.SECONDS)) {
            TimeUnit.MILLISECONDS.sleep(3_500);
            assertThat(held.isHeld()).isTrue();
            locker.exclusive(locker.key("unrelated")).acquire().close();
        }
    }

    @Test
    void leaseOfASecond_nowAndThenARequest_works() throws Exception {
        Locker locker = opened(builder().lease(Duration.ofSeconds(1)));
        for (int i = 0; i < 4; i++) {
            locker.exclusive(locker.key("now-and-then")).acquire().close();
            TimeUnit.MILLISECONDS.sleep(1_020 + 20 * i);
        }
    }

    @Test
    void readerBehindAWriterThatOnlyTries_joins() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        AtomicBoolean armed = new AtomicBoolean();
        Locker locker = opened(traced(what -> {
            if (what.contains("pg_try_advisory_lock_shared") && armed.compareAndSet(true, false)) {
                go.await();
            }
        }));
        LockKey key = locker.key("reader-behind-try");
        locker.shared(key).acquire().close();
        armed.set(true);
        Future<LockHandle> first = inBackground(() -> locker.shared(key).acquire());
        await().until(() -> !armed.get());
        Future<Optional<LockHandle>> writer = inBackgroundUntil(
                Thread.State.WAITING, () -> locker.exclusive(key).tryAcquire());
        Future<Optional<LockHandle>> reader = inBackgroundUntil(
                Thread.State.TIMED_WAITING, () -> locker.shared(key).tryAcquire(Duration.ofSeconds(5)));
        go.countDown();
        try (LockHandle ignored = first.get()) {
            assertThat(writer.get()).isEmpty();
            assertThat(reader.get()).hasValueSatisfying(LockHandle::close);
        }
    }

    @Test
    void readerBehindAWriterThatGaveUpItsWait_getsTheLock() throws Exception {
        Locker locker = locker();
        Locker other = locker();
        LockKey key = locker.key("behind-given-up");
        try (LockHandle ignored = other.shared(key).acquire()) {
            CompletableFuture<Thread> writer = new CompletableFuture<>();
            Future<?> writing = inBackground(() -> {
                writer.complete(Thread.currentThread());
                return locker.exclusive(key).waiting(WaitPolicy.forever()).acquire();
            });
            database.awaitWaiter(key);
            Future<Optional<LockHandle>> reader = inBackgroundUntil(
                    Thread.State.TIMED_WAITING, () -> locker.shared(key).tryAcquire(Duration.ofSeconds(5)));
            writer.get().interrupt();
            assertThatThrownBy(writing::get).hasCauseInstanceOf(LockInterruptedException.class);
            assertThat(reader.get()).hasValueSatisfying(LockHandle::close);
        }
    }

    @Test
    void writerGivesUpBeforeItsWaitHasBegun_readerBehindItGetsTheLock() throws Exception {
        CountDownLatch reached = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        Locker locker = opened(traced(what -> {
            if (what.contains("set_config") && what.contains("pg_advisory_lock") && reached.getCount() > 0) {
                reached.countDown();
                go.await();
            }
        }));
        LockKey key = locker.key("behind-not-begun");
        try (LockHandle ignored = locker().shared(key).acquire()) {
            CompletableFuture<Thread> writer = new CompletableFuture<>();
            Future<?> writing = inBackground(() -> {
                writer.complete(Thread.currentThread());
                return locker.exclusive(key).waiting(WaitPolicy.forever()).acquire();
            });
            reached.await();
            Future<Optional<LockHandle>> reader = inBackgroundUntil(
                    Thread.State.TIMED_WAITING, () -> locker.shared(key).tryAcquire(Duration.ofSeconds(5)));
            writer.get().interrupt();
            assertThatThrownBy(writing::get).hasCauseInstanceOf(LockInterruptedException.class);
            TimeUnit.MILLISECONDS.sleep(100);
            go.countDown();
            assertThat(reader.get()).hasValueSatisfying(LockHandle::close);
        }
    }

    @Test
    void waiterElsewhereIsGone_readersJoinAgain() throws Exception {
        Locker locker = locker();
        Locker other = locker();
        LockKey key = locker.key("join-again");
        try (LockHandle ignored = locker.shared(key).acquire()) {
            Future<Optional<LockHandle>> writer =
                    inBackground(() -> other.exclusive(key).tryAcquire(Duration.ofSeconds(2)));
            database.awaitWaiter(key);
            // Not before the next look.
            await().atMost(PATIENCE).until(() -> {
                Optional<LockHandle> joined = locker.shared(key).tryAcquire();
                joined.ifPresent(LockHandle::close);
                return joined.isEmpty();
            });
            assertThat(writer.get()).isEmpty();
            await().atMost(PATIENCE).until(() -> database.rowsOf(key).size() == 1);
            assertThat(other.shared(key).tryAcquire())
                    .as("another program has it")
                    .hasValueSatisfying(LockHandle::close);
            assertThat(locker.shared(key).tryAcquire(Duration.ofSeconds(3))).hasValueSatisfying(LockHandle::close);
        }
    }

    @ParameterizedTest
    @ValueSource(classes = {IllegalStateException.class, StackOverflowError.class})
    void waitFailsUnexpectedly_keyIsNotStuck(Class<? extends Throwable> failure) throws Exception {
        AtomicBoolean armed = new AtomicBoolean();
        Locker locker = opened(traced(what -> {
            if (what.contains("set_config") && what.contains("pg_advisory_lock") && armed.compareAndSet(true, false)) {
                throwUnchecked(failure.getConstructor(String.class).newInstance("a wrapper's failure"));
            }
        }));
        Locker other = locker();
        LockKey key = locker.key("stuck");
        LockHandle before = other.exclusive(key).acquire();
        armed.set(true);
        Future<?> first = inBackground(() -> locker.exclusive(key).acquire(Duration.ofSeconds(4)));
        await().dontCatchUncaughtExceptions().until(() -> !armed.get());
        before.close();
        try {
            first.get();
        } catch (ExecutionException e) {
            assertThat(e).hasCauseInstanceOf(RuntimeException.class);
        }
        assertThat(locker.exclusive(key).tryAcquire(Duration.ofSeconds(4))).hasValueSatisfying(LockHandle::close);
    }

    private static void throwUnchecked(Throwable failure) {
        if (failure instanceof Error e) {
            throw e;
        }
        throw (RuntimeException) failure;
    }

    @Test
    void threadIsInterruptedWhileItAsksForAnother_otherIsNotInterrupted() throws Exception {
        AtomicInteger connections = new AtomicInteger();
        CountDownLatch firstMayFail = new CountDownLatch(1);
        CountDownLatch secondAsked = new CountDownLatch(1);
        Locker locker = opened(traced(what -> {
                    if (what.equals(TracedDataSource.CONNECT)) {
                        int number = connections.incrementAndGet();
                        if (number == 2) {
                            firstMayFail.await();
                            throw new SQLTransientConnectionException("none to be had");
                        }
                        if (number == 3) {
                            secondAsked.countDown();
                            try {
                                TimeUnit.SECONDS.sleep(10);
                            } catch (InterruptedException e) {
                                // As HikariCP does.
                                Thread.currentThread().interrupt();
                                throw new SQLException("interrupted during connection acquisition", e);
                            }
                        }
                    }
                })
                .withoutServerProbe()
                .sessions(1));
        LockKey key = locker.key("innocent");
        CompletableFuture<Thread> a = new CompletableFuture<>();
        Future<?> first = inBackground(() -> {
            a.complete(Thread.currentThread());
            return locker.exclusive(key).acquire();
        });
        await().until(() -> connections.get() == 2);
        Future<Optional<LockHandle>> second = inBackgroundUntil(
                Thread.State.TIMED_WAITING, () -> locker.exclusive(key).tryAcquire(Duration.ofSeconds(10)));
        firstMayFail.countDown();
        secondAsked.await();
        a.get().interrupt();
        try {
            first.get();
        } catch (ExecutionException e) {
            assertThat(e).hasCauseInstanceOf(RuntimeException.class);
        }
        assertThat(second.get()).hasValueSatisfying(LockHandle::close);
    }

    @Test
    void stageTimesOut_requestLeavesTheQueue() throws Exception {
        Locker locker = locker();
        LockKey key = locker.key("or-timeout");
        try (LockHandle ignored = locker().exclusive(key).acquire()) {
            locker.exclusive(key)
                    .waiting(WaitPolicy.forever())
                    .acquireAsync()
                    .toCompletableFuture()
                    .orTimeout(300, TimeUnit.MILLISECONDS);
            database.awaitWaiter(key);
            await().atMost(Duration.ofSeconds(5))
                    .until(() -> database.rowsOf(key).size() == 1);
        }
    }

    @Test
    void manyAsyncRequests_needFewThreads() throws Exception {
        int many = 3_000;
        Locker other = opened(builder().lockBudget(many + 10).sessions(8));
        Locker locker = opened(builder().maxSessions(4));
        List<LockKey> keys = IntStream.range(0, many)
                .mapToObj(i -> locker.key("many-async-" + i))
                .toList();
        try (LockHandle ignored = other.exclusive(keys).acquire()) {
            List<CompletableFuture<LockHandle>> stages = keys.stream()
                    .map(key -> locker.exclusive(key)
                            .waiting(WaitPolicy.forever())
                            .acquireAsync()
                            .toCompletableFuture())
                    .toList();
            int most = 0;
            for (int i = 0; i < 60; i++) {
                TimeUnit.MILLISECONDS.sleep(50);
                most = Math.max(most, Thread.activeCount());
            }
            stages.forEach(stage -> stage.cancel(false));
            assertThat(most).isLessThan(100);
        }
    }

    /** Where many do, each of their tries would need a thread. */
    @Test
    void requestWithoutAConnectionToWaitWith_triesAgainWithoutAThreadOfItsOwn() {
        String app = "hazard-few-connections";
        Locker locker = opened(Locker.builder(app).url(database.url()).maxSessions(1));
        LockKey key = locker.key("polled-without-thread");
        try (LockHandle ignored = locker().exclusive(key).acquire()) {
            LockTimeoutException e = catchThrowableOfType(
                    LockTimeoutException.class, () -> locker.exclusive(key).acquire(Duration.ofMillis(500)));
            assertThat(e.attempts()).isGreaterThan(2);
            assertThat(namesOfThreads()).noneMatch(name -> name.contains(app) && name.endsWith("sender"));
            assertThat(namesOfThreads()).anyMatch(name -> name.contains(app) && name.endsWith("step"));
        }
    }

    private static List<String> namesOfThreads() {
        return Thread.getAllStackTraces().keySet().stream().map(Thread::getName).toList();
    }

    @Test
    void serverHasNoFurtherConnection_requestsUseTheOneThatIsThere() throws Exception {
        AtomicInteger connections = new AtomicInteger();
        Locker locker = opened(traced(what -> {
                    if (what.equals(TracedDataSource.CONNECT) && connections.incrementAndGet() > 2) {
                        throw new SQLException("sorry, too many clients already", "53300");
                    }
                })
                .withoutServerProbe()
                .sessions(2));
        List<Throwable> failures = new CopyOnWriteArrayList<>();
        for (int i = 0; i < 16; i++) {
            LockKey key = locker.key("k" + i);
            Thread thread = new Thread(() -> locker.exclusive(key).run(() -> {}));
            thread.setUncaughtExceptionHandler((failed, e) -> failures.add(e));
            thread.start();
            thread.join();
        }
        assertThat(failures).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(classes = {IllegalStateException.class, StackOverflowError.class})
    void sessionCannotBeMadeForAWrappersFailure_itsConnectionIsNotKept(Class<? extends Throwable> failure) {
        AtomicInteger failures = new AtomicInteger(3);
        Locker locker = opened(traced(what -> {
                    if (what.contains("set_config") && failures.getAndDecrement() > 0) {
                        throwUnchecked(failure.getConstructor(String.class).newInstance("a wrapper's failure"));
                    }
                })
                .maxSessions(1));
        LockKey key = locker.key("wrapped");
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> locker.exclusive(key).acquire()).hasStackTraceContaining("a wrapper's failure");
        }
        locker.exclusive(key).acquire().close();
    }

    @Test
    void severalKeys_thereIsNoThreadForAConnection_areRefusedAndNotStuck() {
        AtomicInteger refused = new AtomicInteger();
        Locker locker = opened(traced(what -> {
                    if (what.equals(TracedDataSource.CONNECT) && refused.getAndDecrement() > 0) {
                        throw noThread();
                    }
                })
                .withoutServerProbe()
                .maxSessions(1));
        refused.set(1);
        LockRequest request = locker.exclusive(List.of(locker.key("first"), locker.key("second")));
        assertThatThrownBy(request::acquire)
                .isInstanceOf(SessionUnavailableException.class)
                .hasMessageContaining("no thread");
        assertThat(request.tryAcquire()).hasValueSatisfying(LockHandle::close);
    }

    @Test
    void locker_closedWhileThereIsNoThreadToGiveAConnectionBack_freesEverything() throws Exception {
        AtomicInteger refused = new AtomicInteger();
        Locker locker = opened(traced(what -> {
                    if (what.contains("pg_advisory_unlock_all") && refused.getAndIncrement() == 0) {
                        throw noThread();
                    }
                })
                .sessions(2)
                .maxSessions(4));
        List<LockKey> keys = List.of(locker.key("one"), locker.key("two"), locker.key("three"));
        for (LockKey key : keys) {
            inBackground(() -> locker.exclusive(key).acquire()).get();
        }
        locker.close();
        assertThat(refused).hasValueGreaterThan(0);
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(keys)
                        .allSatisfy(key -> assertThat(database.rowsOf(key)).isEmpty()));
    }

    private static OutOfMemoryError noThread() {
        return new OutOfMemoryError("unable to create native thread");
    }

    @Test
    void pollingDelayBelowAMillisecond_isRoundedUp() {
        Locker locker = locker();
        LockKey key = locker.key("polled");
        try (LockHandle ignored = locker().exclusive(key).acquire()) {
            LockTimeoutException e = catchThrowableOfType(
                    LockTimeoutException.class,
                    () -> locker.exclusive(key)
                            .waiting(WaitPolicy.polling(Duration.ofNanos(1), Duration.ofMillis(300)))
                            .acquire());
            assertThat(e.attempts()).isLessThan(310);
        }
    }

    @Test
    @SuppressWarnings("LockNotBeforeTry")
    void virtualThread_interruptedWhileItsSessionIsMade_keepsItsRequest() throws Exception {
        CompletableFuture<Thread> caller = new CompletableFuture<>();
        AtomicInteger times = new AtomicInteger(1);
        Locker locker = opened(traced(what -> {
            if (what.contains("set_config") && times.getAndDecrement() > 0) {
                caller.get().interrupt();
            }
        }));
        Optional<ExecutorService> threadsOfJdk21 = VirtualThreads.executor();
        assumeThat(threadsOfJdk21).isPresent();
        ExecutorService virtual = threadsOfJdk21.orElseThrow();
        Future<Boolean> done = virtual.submit(() -> {
            caller.complete(Thread.currentThread());
            Lock lock = locker.exclusive(locker.key("virtual")).asLock();
            lock.lock();
            lock.unlock();
            return Thread.currentThread().isInterrupted();
        });
        assertThat(done.get()).isTrue();
    }

    /** Returns when its thread waits in this way. */
    private <T> Future<T> inBackgroundUntil(Thread.State state, Callable<T> work) {
        CompletableFuture<Thread> thread = new CompletableFuture<>();
        Future<T> result = inBackground(() -> {
            thread.complete(Thread.currentThread());
            return work.call();
        });
        await().atMost(PATIENCE).until(() -> thread.get().getState() == state);
        return result;
    }

    /** Fails and holds up what the locker does. */
    private LockerBuilder traced(TracedDataSource.Tracer tracer) {
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setURL(database.url());
        return Locker.builder("hazard").dataSource(TracedDataSource.of(dataSource, tracer));
    }
}
