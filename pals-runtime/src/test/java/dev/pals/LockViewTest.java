package dev.pals;

import static dev.pals.TestDatabase.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.pals.TestDatabase.AdvisoryRow;
import dev.pals.key.LockKey;
import dev.pals.lock.LockHandle;
import dev.pals.lock.LockLostException;
import dev.pals.lock.LockerClosedException;
import dev.pals.lock.WaitPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Requests as locks of {@code java.util.concurrent}. */
@ExtendWith(TestDatabase.Extension.class)
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@SuppressWarnings("LockNotBeforeTry") // When to unlock is what is tested; a failed test's locks end with its lockers.
final class LockViewTest {
    private final TestDatabase database;
    private final List<Locker> lockers = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final Locker locker;
    private final Locker other;

    LockViewTest(TestDatabase database) {
        this.database = database;
        locker = opened();
        other = opened();
    }

    private Locker opened() {
        Locker opened = Locker.create("view", database.url());
        lockers.add(opened);
        return opened;
    }

    @AfterEach
    void noAdvisoryRowIsLeft() throws InterruptedException {
        lockers.forEach(Locker::close);
        for (Thread thread : threads) {
            thread.join(PATIENCE.toMillis());
            assertThat(thread.isAlive()).as("%s is stuck", thread).isFalse();
        }
        database.awaitNoAdvisoryRow();
    }

    // ---- lock and unlock ----

    @Test
    void lock_keyIsFree_isInPgLocksUntilUnlock() {
        LockKey key = locker.key("free");
        Lock lock = locker.exclusive(key).asLock();
        for (int i = 0; i < 2; i++) {
            lock.lock();
            assertThat(database.rowsOf(key)).extracting(AdvisoryRow::mode).containsExactly("ExclusiveLock");
            assertThat(other.exclusive(key).tryAcquire()).isEmpty();
            lock.unlock();
            assertThat(database.rowsOf(key)).isEmpty();
        }
    }

    @Test
    void lock_severalKeys_holdsThemAll() {
        Lock lock = locker.exclusive(locker.key("one"), locker.key("two")).asLock();
        lock.lock();
        assertThat(database.advisoryRows()).hasSize(2);
        lock.unlock();
        assertThat(database.advisoryRows()).isEmpty();
    }

    @Test
    void lock_heldByAnotherLocker_waitsUntilItsRelease() {
        LockKey key = locker.key("waiting");
        // With the request's own wait it would fail at once.
        Lock lock = locker.exclusive(key).waiting(WaitPolicy.none()).asLock();
        LockHandle holder = other.exclusive(key).acquire();
        Background<Boolean> waiter = inBackground(() -> {
            lock.lock();
            boolean held = database.isHeld(key);
            lock.unlock();
            return held;
        });
        database.awaitWaiter(key);
        assertThat(waiter.result()).isNotDone();
        holder.close();
        assertThat(waiter.result()).succeedsWithin(PATIENCE).isEqualTo(true);
    }

    @Test
    void lock_manyThreadsOfTwoLockers_areAlone() {
        LockKey key = locker.key("alone");
        assertThat(mostInsideAtOnce(
                        locker.exclusive(key).asLock(), other.exclusive(key).asLock()))
                .isEqualTo(1);
        assertThat(mostInsideAtOnce(
                        locker.shared(key).asLock(), other.shared(key).asLock()))
                .as("the same load on locks that exclude nobody")
                .isGreaterThan(1);
    }

    private int mostInsideAtOnce(Lock one, Lock another) {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        List<Background<Boolean>> workers = IntStream.range(0, 6)
                .mapToObj(i -> i % 2 == 0 ? one : another)
                .map(lock -> inBackground(() -> {
                    for (int i = 0; i < 30; i++) {
                        lock.lock();
                        try {
                            most.accumulateAndGet(inside.incrementAndGet(), Math::max);
                            LockSupport.parkNanos(1_000_000);
                            inside.decrementAndGet();
                        } finally {
                            lock.unlock();
                        }
                    }
                    return true;
                }))
                .toList();
        assertThat(workers)
                .allSatisfy(worker ->
                        assertThat(worker.result()).succeedsWithin(PATIENCE).isEqualTo(true));
        return most.get();
    }

    @Test
    void lock_lockerIsClosed_throwsAndHoldsNothing() {
        Lock lock = locker.exclusive(locker.key("closed")).asLock();
        locker.close();
        assertThatThrownBy(lock::lock).isInstanceOf(LockerClosedException.class);
        assertThatThrownBy(lock::tryLock).isInstanceOf(LockerClosedException.class);
        assertThatThrownBy(lock::unlock).isInstanceOf(IllegalMonitorStateException.class);
    }

    // ---- lock: interrupts ----

    @Test
    void lock_interruptedWhileWaiting_waitsOnAndKeepsTheFlag() {
        LockKey key = locker.key("lock-interrupted");
        Lock lock = locker.exclusive(key).asLock();
        LockHandle holder = other.exclusive(key).acquire();
        Background<Boolean> waiter = inBackground(() -> {
            lock.lock();
            boolean flag = Thread.currentThread().isInterrupted();
            assertThat(database.isHeld(key)).isTrue();
            lock.unlock();
            return flag;
        });
        for (int i = 0; i < 3; i++) {
            database.awaitWaiter(key);
            waiter.thread().interrupt();
            await().atMost(PATIENCE).until(() -> !waiter.thread().isInterrupted());
        }
        database.awaitWaiter(key);
        assertThat(waiter.result()).isNotDone();
        holder.close();
        assertThat(waiter.result()).succeedsWithin(PATIENCE).isEqualTo(true);
    }

    @Test
    void lockAndTryLock_interruptedBefore_lockAndKeepTheFlag() {
        LockKey key = locker.key("interrupted-before");
        Lock lock = locker.exclusive(key).asLock();
        Thread.currentThread().interrupt();
        lock.lock();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(database.isHeld(key)).isTrue();
        lock.unlock();

        Thread.currentThread().interrupt();
        assertThat(lock.tryLock()).isTrue();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(database.isHeld(key)).isTrue();
        lock.unlock();
    }

    // ---- lockInterruptibly ----

    @Test
    void lockInterruptibly_keyIsFree_locks() throws InterruptedException {
        LockKey key = locker.key("interruptibly");
        Lock lock = locker.exclusive(key).asLock();
        lock.lockInterruptibly();
        assertThat(database.isHeld(key)).isTrue();
        lock.unlock();
        assertThat(database.rowsOf(key)).isEmpty();
    }

    @Test
    void lockInterruptibly_interruptedWhileWaiting_throwsWithoutFlagAndHoldsNothing() {
        LockKey key = locker.key("interruptibly-waiting");
        Lock lock = locker.exclusive(key).asLock();
        assertInterruptEnds(key, lock, lock::lockInterruptibly);
    }

    @Test
    void lockInterruptibly_interruptedBefore_throwsThoughTheKeyIsFree() {
        Lock lock = locker.exclusive(locker.key("interruptibly-before")).asLock();
        assertThrowsWhenInterruptedBefore(lock, lock::lockInterruptibly);
    }

    private interface Interruptible {
        void run() throws InterruptedException;
    }

    private void assertInterruptEnds(LockKey key, Lock lock, Interruptible wait) {
        try (LockHandle ignored = other.exclusive(key).acquire()) {
            Background<Boolean> waiter = inBackground(() -> {
                assertThatThrownBy(wait::run)
                        .isInstanceOf(InterruptedException.class)
                        .hasMessageContaining(key.name());
                boolean flag = Thread.currentThread().isInterrupted();
                assertThatThrownBy(lock::unlock).isInstanceOf(IllegalMonitorStateException.class);
                return flag;
            });
            database.awaitWaiter(key);
            waiter.thread().interrupt();
            assertThat(waiter.result()).succeedsWithin(PATIENCE).isEqualTo(false);
        }
        database.awaitNoAdvisoryRow();
    }

    private void assertThrowsWhenInterruptedBefore(Lock lock, Interruptible request) {
        Thread.currentThread().interrupt();
        assertThatThrownBy(request::run).isInstanceOf(InterruptedException.class);
        assertThat(Thread.interrupted()).isFalse();
        assertThat(database.advisoryRows()).isEmpty();
        assertThat(lock.tryLock()).isTrue();
        lock.unlock();
    }

    // ---- tryLock ----

    @Test
    void tryLock_freeOrHeldByAnother_tellsWhichWithoutWaiting() {
        LockKey key = locker.key("try");
        // With the request's own wait it would not come back.
        Lock lock = locker.exclusive(key).waiting(WaitPolicy.forever()).asLock();
        LockHandle holder = other.exclusive(key).acquire();
        assertThat(inBackground(lock::tryLock).result())
                .succeedsWithin(PATIENCE)
                .isEqualTo(false);
        holder.close();
        assertThat(lock.tryLock()).isTrue();
        assertThat(other.exclusive(key).tryAcquire()).isEmpty();
        lock.unlock();
        assertThat(database.rowsOf(key)).isEmpty();
    }

    @Test
    void tryLockTimed_heldAllTheTime_isFalseAfterIt() throws InterruptedException {
        LockKey key = locker.key("try-timed");
        Lock lock = locker.exclusive(key).asLock();
        try (LockHandle ignored = other.exclusive(key).acquire()) {
            long start = System.nanoTime();
            assertThat(lock.tryLock(120, TimeUnit.MILLISECONDS)).isFalse();
            assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThanOrEqualTo(Duration.ofMillis(120));
            assertThat(lock.tryLock(0, TimeUnit.DAYS)).isFalse();
            assertThat(lock.tryLock(-1, TimeUnit.DAYS)).isFalse();
            assertThatThrownBy(lock::unlock).isInstanceOf(IllegalMonitorStateException.class);
        }
        assertThat(lock.tryLock(-1, TimeUnit.DAYS)).isTrue();
        lock.unlock();
    }

    @Test
    void tryLockTimed_releasedInTime_locks() {
        LockKey key = locker.key("try-timed-released");
        Lock lock = locker.exclusive(key).asLock();
        LockHandle holder = other.exclusive(key).acquire();
        Background<Boolean> waiter = inBackground(() -> {
            boolean locked = lock.tryLock(Long.MAX_VALUE, TimeUnit.DAYS);
            lock.unlock();
            return locked;
        });
        database.awaitWaiter(key);
        holder.close();
        assertThat(waiter.result()).succeedsWithin(PATIENCE).isEqualTo(true);
    }

    @Test
    void tryLockTimed_interruptedWhileWaiting_throwsWithoutFlagAndHoldsNothing() {
        LockKey key = locker.key("try-timed-interrupted");
        Lock lock = locker.exclusive(key).asLock();
        assertInterruptEnds(key, lock, () -> lock.tryLock(1, TimeUnit.HOURS));
    }

    @Test
    void tryLockTimed_interruptedBefore_throwsThoughTheKeyIsFree() {
        Lock lock = locker.exclusive(locker.key("try-timed-before")).asLock();
        assertThrowsWhenInterruptedBefore(lock, () -> lock.tryLock(1, TimeUnit.HOURS));
    }

    // ---- whose it is ----

    @Test
    void unlock_byAnotherThread_throwsAndTheLockStaysHeld() {
        LockKey key = locker.key("other-thread");
        Lock lock = locker.exclusive(key).asLock();
        lock.lock();
        assertThat(inBackground(() -> {
                            assertThatThrownBy(lock::unlock)
                                    .isInstanceOf(IllegalMonitorStateException.class)
                                    .hasMessageContaining("view.other-thread");
                            return database.isHeld(key);
                        })
                        .result())
                .succeedsWithin(PATIENCE)
                .isEqualTo(true);
        lock.unlock();
    }

    @Test
    void unlock_notLocked_throws() {
        LockKey key = locker.key("not-locked");
        Lock lock = locker.exclusive(key).asLock();
        assertThatThrownBy(lock::unlock).isInstanceOf(IllegalMonitorStateException.class);
        lock.lock();
        assertThatThrownBy(locker.exclusive(key).asLock()::unlock).isInstanceOf(IllegalMonitorStateException.class);
        assertThat(database.isHeld(key)).isTrue();
        lock.unlock();
        assertThatThrownBy(lock::unlock).isInstanceOf(IllegalMonitorStateException.class);
    }

    @Test
    void lock_twiceByOneThread_isRefusedAndTheFirstStaysHeld() throws InterruptedException {
        LockKey key = locker.key("twice");
        Lock lock = locker.exclusive(key).asLock();
        lock.lock();
        assertThatThrownBy(lock::lock)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("view.twice", "not reentrant");
        assertThatThrownBy(lock::lockInterruptibly).isInstanceOf(IllegalStateException.class);
        assertThat(lock.tryLock()).isFalse();
        assertThat(lock.tryLock(1, TimeUnit.DAYS)).isFalse();
        assertThat(database.rowsOf(key)).hasSize(1);
        lock.unlock();
        assertThat(database.rowsOf(key)).isEmpty();
    }

    @Test
    void lock_sharedByTwoThreads_isHeldByBothUntilBothUnlock() {
        LockKey key = locker.key("shared");
        Lock lock = locker.shared(key).asLock();
        CompletableFuture<Boolean> leave = new CompletableFuture<>();
        CompletableFuture<Boolean> entered = new CompletableFuture<>();
        lock.lock();
        Background<Boolean> second = inBackground(() -> {
            lock.lock();
            entered.complete(true);
            leave.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            lock.unlock();
            return true;
        });
        assertThat(entered).succeedsWithin(PATIENCE);
        assertThat(lock.tryLock()).as("twice by this thread").isFalse();
        assertThat(other.exclusive(key).tryAcquire()).isEmpty();
        lock.unlock();
        assertThat(other.exclusive(key).tryAcquire())
                .as("the second thread still reads")
                .isEmpty();
        leave.complete(true);
        assertThat(second.result()).succeedsWithin(PATIENCE);
        assertThat(other.exclusive(key).tryAcquire()).hasValueSatisfying(LockHandle::close);
    }

    @Test
    void lock_threadEndsWithoutUnlock_isReleasedSomeTimeLater() throws InterruptedException {
        LockKey key = locker.key("forgotten");
        Lock lock = locker.exclusive(key).asLock();
        Background<Boolean> forgetful = inBackground(() -> {
            lock.lock();
            return database.isHeld(key);
        });
        assertThat(forgetful.result()).succeedsWithin(PATIENCE).isEqualTo(true);
        forgetful.thread().join(PATIENCE.toMillis());
        await().atMost(PATIENCE).until(() -> {
            System.gc();
            return database.rowsOf(key).isEmpty();
        });
        assertThat(lock.tryLock()).isTrue();
        lock.unlock();
    }

    // ---- losing ----

    @Test
    void unlock_sessionWasTerminated_throwsLockLostAndCanBeLockedAgain() {
        LockKey key = locker.key("lost");
        Lock lock = locker.exclusive(key).asLock();
        lock.lock();
        database.terminateHolder(key);
        assertThatThrownBy(lock::unlock)
                .isInstanceOfSatisfying(
                        LockLostException.class, lost -> assertThat(lost.keys()).containsExactly(key));
        assertThatThrownBy(lock::unlock).isInstanceOf(IllegalMonitorStateException.class);
        lock.lock();
        assertThat(database.isHeld(key)).isTrue();
        lock.unlock();
        assertThat(database.rowsOf(key)).isEmpty();
    }

    // ---- conditions ----

    @Test
    void newCondition_always_isUnsupported() {
        Lock lock = locker.exclusive(locker.key("condition")).asLock();
        assertThatThrownBy(lock::newCondition)
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContainingAll("view.condition", "condition");
    }

    private record Background<T>(Thread thread, CompletableFuture<T> result) {}

    private <T> Background<T> inBackground(Callable<T> work) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            try {
                result.complete(work.call());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        threads.add(thread);
        thread.start();
        return new Background<>(thread, result);
    }
}
