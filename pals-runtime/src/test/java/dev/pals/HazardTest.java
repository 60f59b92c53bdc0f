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
import dev.pals.lock.WaitPolicy;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** What a sceptical reader found by thinking through the interleavings. */
@ExtendWith(TestDatabase.Extension.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class HazardTest {
    private final TestDatabase database;
    private final List<Locker> lockers = new ArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    HazardTest(TestDatabase database) {
        this.database = database;
    }

    private Locker opened(LockerBuilder builder) {
        Locker locker = builder.build();
        lockers.add(locker);
        return locker;
    }

    private LockerBuilder builder() {
        return Locker.builder("hazard").url(database.url());
    }

    @AfterEach
    void noAdvisoryRowIsLeft() {
        lockers.forEach(Locker::close);
        threads.shutdownNow();
        database.awaitNoAdvisoryRow();
    }

    @Test
    void firstOfTwoIsLostWhileWaitingForTheSecond_acquireDoesNotSucceed() throws Exception {
        Locker locker = opened(builder());
        Locker other = opened(builder());
        List<LockKey> keys =
                Stream.of(locker.key("a"), locker.key("b")).sorted().toList();
        LockHandle second = other.exclusive(keys.get(1)).acquire();
        Future<LockHandle> both =
                threads.submit(() -> locker.exclusive(keys).waitAtMost(PATIENCE).acquire());
        database.awaitWaiter(keys.get(1));
        database.terminateHolder(keys.get(0));
        LockHandle first = other.exclusive(keys.get(0)).acquire();
        TimeUnit.SECONDS.sleep(1);
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
        Locker locker = opened(builder());
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
        Locker other = opened(builder());
        LockKey key = locker.key("held-by-waiter");
        LockHandle before = other.exclusive(key).acquire();
        Future<LockHandle> waiting = threads.submit(() -> locker.exclusive(key).acquire());
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
        Locker locker = opened(Locker.builder("hazard").dataSource(hooked(sql -> {
            if (sql.contains("pg_try_advisory_lock_shared") && armed.compareAndSet(true, false)) {
                go.await();
            }
        })));
        LockKey key = locker.key("reader-behind-try");
        locker.shared(key).acquire().close();
        armed.set(true);
        CompletableFuture<Thread> tries = new CompletableFuture<>();
        CompletableFuture<Thread> reads = new CompletableFuture<>();
        Future<LockHandle> first = threads.submit(() -> locker.shared(key).acquire());
        await().until(() -> !armed.get());
        Future<Optional<LockHandle>> writer = threads.submit(() -> {
            tries.complete(Thread.currentThread());
            return locker.exclusive(key).tryAcquire();
        });
        await().until(() -> tries.get().getState() == Thread.State.WAITING);
        Future<Optional<LockHandle>> reader = threads.submit(() -> {
            reads.complete(Thread.currentThread());
            return locker.shared(key).tryAcquire(Duration.ofSeconds(5));
        });
        await().until(() -> reads.get().getState() == Thread.State.TIMED_WAITING);
        go.countDown();
        try (LockHandle ignored = first.get()) {
            assertThat(writer.get()).isEmpty();
            Optional<LockHandle> joined = reader.get();
            joined.ifPresent(LockHandle::close);
            assertThat(joined).isPresent();
        }
    }

    @Test
    void readerBehindAWriterThatGaveUpItsWait_getsTheLock() throws Exception {
        Locker locker = opened(builder());
        Locker other = opened(builder());
        LockKey key = locker.key("behind-given-up");
        try (LockHandle ignored = other.shared(key).acquire()) {
            CompletableFuture<Thread> writer = new CompletableFuture<>();
            Future<?> writing = threads.submit(() -> {
                writer.complete(Thread.currentThread());
                locker.exclusive(key).waiting(WaitPolicy.forever()).acquire();
            });
            database.awaitWaiter(key);
            Future<Optional<LockHandle>> reader =
                    threads.submit(() -> locker.shared(key).tryAcquire(Duration.ofSeconds(5)));
            TimeUnit.MILLISECONDS.sleep(300);
            writer.get().interrupt();
            assertThatThrownBy(writing::get).hasCauseInstanceOf(LockInterruptedException.class);
            Optional<LockHandle> read = reader.get();
            read.ifPresent(LockHandle::close);
            assertThat(read).isPresent();
        }
    }

    @Test
    void waiterElsewhereIsGone_readersJoinAgain() throws Exception {
        Locker locker = opened(builder());
        Locker other = opened(builder());
        LockKey key = locker.key("join-again");
        try (LockHandle ignored = locker.shared(key).acquire()) {
            Future<Optional<LockHandle>> writer =
                    threads.submit(() -> other.exclusive(key).tryAcquire(Duration.ofSeconds(1)));
            database.awaitWaiter(key);
            TimeUnit.MILLISECONDS.sleep(200);
            assertThat(locker.shared(key).tryAcquire()).isEmpty();
            assertThat(writer.get()).isEmpty();
            TimeUnit.MILLISECONDS.sleep(1_000);
            Optional<LockHandle> third = other.shared(key).tryAcquire();
            assertThat(third).as("another program has it").isPresent();
            third.ifPresent(LockHandle::close);
            Optional<LockHandle> reader = locker.shared(key).tryAcquire(Duration.ofSeconds(3));
            reader.ifPresent(LockHandle::close);
            assertThat(reader).isPresent();
        }
    }

    @Test
    void waitFailsWithRuntimeException_keyIsNotStuck() throws Exception {
        AtomicBoolean armed = new AtomicBoolean();
        Locker locker = opened(Locker.builder("hazard").dataSource(hooked(sql -> {
            if (sql.contains("set_config") && sql.contains("pg_advisory_lock") && armed.compareAndSet(true, false)) {
                throw new IllegalStateException("a wrapper's failure");
            }
        })));
        Locker other = opened(builder());
        LockKey key = locker.key("stuck");
        LockHandle before = other.exclusive(key).acquire();
        armed.set(true);
        Future<?> first = threads.submit(() -> locker.exclusive(key).acquire(Duration.ofSeconds(4)));
        await().dontCatchUncaughtExceptions().until(() -> !armed.get());
        before.close();
        try {
            first.get();
        } catch (ExecutionException e) {
            assertThat(e).hasCauseInstanceOf(RuntimeException.class);
        }
        Optional<LockHandle> next = locker.exclusive(key).tryAcquire(Duration.ofSeconds(4));
        next.ifPresent(LockHandle::close);
        assertThat(next).isPresent();
    }

    @Test
    void threadIsInterruptedWhileItAsksForAnother_otherIsNotInterrupted() throws Exception {
        AtomicInteger connections = new AtomicInteger();
        CountDownLatch firstMayFail = new CountDownLatch(1);
        CountDownLatch secondAsked = new CountDownLatch(1);
        Locker locker = opened(Locker.builder("hazard").sessions(1).dataSource(hooked(sql -> {
            if (sql.equals("getConnection")) {
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
        })));
        LockKey key = locker.key("innocent");
        CompletableFuture<Thread> a = new CompletableFuture<>();
        CompletableFuture<Thread> b = new CompletableFuture<>();
        Future<?> first = threads.submit(() -> {
            a.complete(Thread.currentThread());
            locker.exclusive(key).acquire();
        });
        await().until(() -> connections.get() == 2);
        Future<Optional<LockHandle>> second = threads.submit(() -> {
            b.complete(Thread.currentThread());
            return locker.exclusive(key).tryAcquire(Duration.ofSeconds(10));
        });
        await().until(() -> b.get().getState() == Thread.State.TIMED_WAITING);
        firstMayFail.countDown();
        secondAsked.await();
        a.get().interrupt();
        try {
            first.get();
        } catch (ExecutionException e) {
            assertThat(e).hasCauseInstanceOf(RuntimeException.class);
        }
        Optional<LockHandle> got = second.get();
        got.ifPresent(LockHandle::close);
        assertThat(got).isPresent();
    }

    @Test
    void stageTimesOut_requestLeavesTheQueue() throws Exception {
        Locker locker = opened(builder());
        LockKey key = locker.key("or-timeout");
        try (LockHandle ignored = opened(builder()).exclusive(key).acquire()) {
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

    @Test
    void serverHasNoFurtherConnection_requestsUseTheOneThatIsThere() throws Exception {
        AtomicInteger connections = new AtomicInteger();
        Locker locker = opened(Locker.builder("hazard").sessions(2).dataSource(hooked(sql -> {
            if (sql.equals("getConnection") && connections.incrementAndGet() > 2) {
                throw new SQLException("sorry, too many clients already", "53300");
            }
        })));
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

    @Test
    void sessionCannotBeMadeForAWrappersFailure_itsConnectionIsNotKept() {
        AtomicInteger failures = new AtomicInteger(3);
        Locker locker = opened(Locker.builder("hazard").maxSessions(1).dataSource(hooked(sql -> {
            if (sql.contains("set_config") && failures.getAndDecrement() > 0) {
                throw new IllegalStateException("a wrapper's failure");
            }
        })));
        LockKey key = locker.key("wrapped");
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(() -> locker.exclusive(key).acquire()).hasStackTraceContaining("a wrapper's failure");
        }
        locker.exclusive(key).acquire().close();
    }

    @Test
    void pollingDelayBelowAMillisecond_isRoundedUp() {
        Locker locker = opened(builder());
        LockKey key = locker.key("polled");
        try (LockHandle ignored = opened(builder()).exclusive(key).acquire()) {
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
        Locker locker = opened(Locker.builder("hazard").dataSource(hooked(sql -> {
            if (sql.contains("set_config") && times.getAndDecrement() > 0) {
                caller.get().interrupt();
            }
        })));
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

    private interface Hook {
        void at(String what) throws Exception;
    }

    private DataSource hooked(Hook hook) {
        return (DataSource) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {DataSource.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("getConnection")) {
                        hook.at("getConnection");
                        return wrapped(Connection.class, DriverManager.getConnection(database.url()), "", hook);
                    }
                    return method.getName().equals("isWrapperFor") ? (Object) false : method.toString();
                });
    }

    private static <T> T wrapped(Class<T> type, T target, String sql, Hook hook) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    if (method.getName().startsWith("execute")) {
                        hook.at(sql);
                    }
                    try {
                        Object result = method.invoke(target, arguments);
                        return result instanceof PreparedStatement statement && target instanceof Connection
                                ? wrapped(PreparedStatement.class, statement, (String) arguments[0], hook)
                                : result;
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                }));
    }
}
